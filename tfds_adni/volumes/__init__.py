"""Image files to brains, and brains to slices in SUVR."""
