"""Cluster: tables and users of any number, in pieces, on this machine or on many.

Each step is a function of a number that writes a file. `tasks.py` says where it runs: here, one
after another, or on Ray. So the same code serves a laptop and a cluster, and what a job that was
ended has done already is not done again.
"""
