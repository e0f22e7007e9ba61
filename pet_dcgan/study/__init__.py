"""Whether synthetic images help a classifier of real ones, measured."""
