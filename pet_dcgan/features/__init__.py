"""Images to features, by encoders that need no download."""
