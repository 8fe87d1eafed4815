"""Abuse: files that were damaged or forged, and trainings that are killed."""
