"""How a training is doing, in words: looks, states, remedies, the log."""
