"""The command `pet-dcgan`, also as `python -m pet_dcgan`."""

import sys


def main() -> None:
    """Runs the command line, which takes a moment to be imported."""
    try:
        from pet_dcgan.cli.main import main as command_line
    except KeyboardInterrupt:
        sys.exit(130)
    command_line()


if __name__ == "__main__":
    main()
