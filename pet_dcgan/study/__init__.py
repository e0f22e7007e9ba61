"""Do synthetic images help a classifier? The study that measures it."""
