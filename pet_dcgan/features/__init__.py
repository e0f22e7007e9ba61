"""Encoders that turn images into features, without a download."""
