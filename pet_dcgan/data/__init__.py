"""A prepared set on disk to batches of images in [-1, 1]."""
