"""Engine: how a net learns from sparse rows: batches, objectives, steps, checkpoints, processes."""
