"""Which scans of a folder are used, and why the others are not."""
