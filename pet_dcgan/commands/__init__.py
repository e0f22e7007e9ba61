"""The commands of `pet-dcgan`, by what they are for."""
