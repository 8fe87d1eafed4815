"""Engine: trains a net on sparse rows, in batches, with checkpoints, by one or more processes."""
