"""A run on disk: configuration, subjects, logs, generator."""
