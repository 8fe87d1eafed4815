"""What this package claims of itself, measured: `python -m benchmarks.ROOM.NAME`."""
