"""The schema-based BIDS validator, where it is installed (extra `test`)."""

import functools
import importlib.util
import json
import os
import subprocess
from pathlib import Path

import pytest

_NAME = "bids_validator_deno"


@functools.cache
def _command():
    """How it is called; None where it is not installed."""
    found = importlib.util.find_spec(_NAME)
    if found is None:
        return None
    from deno import find_deno_bin

    script = Path(found.origin).with_name("bids-validator.js")
    # what its own command line allows, but for the network
    allowed = ("--allow-read", "--allow-env", "--allow-run=git")
    return [os.fsdecode(find_deno_bin()), "run", *allowed, str(script)]


def faults(folder):
    """Codes of what it refuses in a data set; skips where it is missing."""
    command = _command()
    if command is None:
        pytest.skip(
            f"{_NAME} is not installed: pip install bids-validator-deno"
        )
    done = subprocess.run(
        [*command, "--format", "json", str(folder)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    try:
        issues = json.loads(done.stdout)["issues"]["issues"]
    except ValueError:
        pytest.fail(f"the validator failed: {done.stdout} {done.stderr}")
    return sorted(
        each["code"] for each in issues if each["severity"] == "error"
    )
