"""Saved: writes a fitted model to a folder and reads it back, with its facts and origin."""
