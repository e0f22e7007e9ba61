"""From a prepared data set on disk to batches in [-1, 1]."""
