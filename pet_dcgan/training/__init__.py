"""Training a run: epochs, checkpoints, devices, health."""
