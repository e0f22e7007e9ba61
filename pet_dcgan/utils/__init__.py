"""What has nothing to do with PET: files, memory, progress."""
