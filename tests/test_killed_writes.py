"""Commands that are killed while they write: whole or not at all.

`killed_writes.py` stops a command at one file operation after another.
"""

import collections
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from training_process import PATIENCE

SCRIPT = Path(__file__).with_name("killed_writes.py")
# what may lie there after a kill; "" is anything that `is_right` lets pass
LEFT = {
    "evaluate": {"before", "after", "not evaluated"},
    "export": {"before", "after", ""},
    "generate": {"before", "after"},
    "demo": {"before", "after", ""},
}


@pytest.fixture
def moments(evaluated, tmp_path):
    """`moments(command, step)`: what was found at every so many moments."""

    def moments(command, step, how="kill"):
        first = random.randint(1, step)
        print(f"every {step} moments from {first} on")
        done = subprocess.run(
            [
                *(sys.executable, SCRIPT, command),
                evaluated[0].evaluation / "metrics.json",
                *(tmp_path / command, how, str(first), str(step)),
            ],
            env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    return moments


def check(found, command):
    """All moments are right, and the same command again ends them."""
    for number, line in enumerate(found):
        place = f"moment {number} of {len(found)}: {line}"
        assert line["left"] in LEFT[command], place
        assert line["right"], place
        assert line["again"], place
    return collections.Counter(line["left"] for line in found)


@pytest.mark.parametrize(
    ("command", "step", "least"),
    [
        ("evaluate", 2, 8),
        ("export", 9, 8),
        ("generate", 5, 5),
        pytest.param("evaluate", 1, 16, marks=pytest.mark.slow),
        pytest.param("export", 1, 70, marks=pytest.mark.slow),
        pytest.param("generate", 1, 25, marks=pytest.mark.slow),
        pytest.param("demo", 1, 150, marks=pytest.mark.slow),
    ],
)
def test_killed_at_any_moment_it_ends_as_an_undisturbed_one(
    moments, command, step, least
):
    found = moments(command, step)
    assert len(found) >= least
    check(found, command)


def test_a_second_evaluation_that_is_stopped_leaves_the_first(moments):
    """Ctrl-C is an exception: even between the two renames."""
    found = check(moments("evaluate", 1, "interrupt"), "evaluate")
    assert set(found) == {"before", "after"}
