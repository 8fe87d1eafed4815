"""Cluster: tables and users of any number, a part at a time, on one machine or many (out-of-core).

Each step is a task with a number that writes a file. `tasks.py` decides where it runs: here, one
after another, or on Ray. So the same code serves a laptop and a cluster, and a job that was ended
early does not repeat the tasks that are done.
"""
