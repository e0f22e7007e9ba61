"""Exporting generators, and drawing images from what was exported."""
