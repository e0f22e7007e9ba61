"""What an exported generator is made of, and what is read from it."""
