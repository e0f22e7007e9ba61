"""Lines for whoever waits, apart from what a command answers."""

import sys


def say(line: str) -> None:
    """Prints one line on stderr, named as errors are.

    Args:
        line: What is worth knowing now: a warning, or what was decided.
    """
    print(f"pet-dcgan: {line}", file=sys.stderr, flush=True)
