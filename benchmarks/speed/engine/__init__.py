"""The training engine, beside the plain way and beside others."""
