"""A run on disk: settings, subjects, log, generator."""
