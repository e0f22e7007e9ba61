"""The command line `pet-dcgan`: it parses, calls and prints."""
