"""How alike images are: one metric a file, plain numpy functions."""
