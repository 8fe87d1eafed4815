"""Cluster: tables and users of any number, a part at a time (out-of-core).

`shard.py` sorts a table with DuckDB, on the disk of one machine. `recommend.py` has a task for each
shard, which `tasks.py` runs here, one after another, or on a Ray cluster. A job that was ended
early does not repeat what is done.
"""
