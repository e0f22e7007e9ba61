"""The results of `few_subjects.py`, one JSON line for each judged moment."""

import json
from pathlib import Path

RESULTS = Path(__file__).with_name("few_subjects.jsonl")


def read():
    """The rows there are."""
    lines = RESULTS.read_text().splitlines() if RESULTS.exists() else []
    return [json.loads(line) for line in lines]


def write(rows):
    """Adds rows, with four digits that say something."""
    with RESULTS.open("a") as file:
        for row in rows:
            file.write(json.dumps(rounded(row)) + "\n")


def rounded(value):
    """A value whose numbers have four digits."""
    if isinstance(value, dict):
        return {name: rounded(each) for name, each in value.items()}
    return float(f"{value:.4g}") if isinstance(value, float) else value


def is_done(task, rows):
    """Whether a training has been made."""
    return any(task.items() <= row.items() for row in rows)


def at(row, path):
    """A value in nested dictionaries, None where there is none."""
    for name in path:
        row = (row or {}).get(name)
    return row
