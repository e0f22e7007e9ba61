"""Metrics as plain NumPy functions of arrays."""
