"""Lets `python -m pet_dcgan` stand for the command `pet-dcgan`."""

from pet_dcgan.cli.main import main

main()
