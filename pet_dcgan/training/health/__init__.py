"""Training health: what is measured, failure states, remedies, log."""
