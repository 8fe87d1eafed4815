"""Disk: files that are whole or not there, and files that a stranger may have made."""
