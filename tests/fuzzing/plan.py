"""The targets, their shares of a run, and how a case is found again."""

import importlib
import random
import shutil
from pathlib import Path
from types import ModuleType

# of 2,000 cases, by what one costs
SHARES = {
    "headers": 560,
    "tables": 360,
    "bids": 120,
    "xml": 240,
    "runs": 210,
    "png": 170,
    "records": 90,
    "server": 110,
    "models": 40,
    "networks": 60,
    "studies": 40,
}
# Content of each file that a case replaces, by its path; `None` removes it.
Files = dict[str, bytes | None]


def counts(mutations: int, shares: dict[str, int] = SHARES) -> dict[str, int]:
    """Cases of each target, at least one."""
    whole = sum(shares.values())
    return {
        name: max(1, round(mutations * share / whole))
        for name, share in shares.items()
    }


def load(name: str) -> ModuleType:
    """The module of a target; one with a dot may be anywhere."""
    return importlib.import_module(name if "." in name else f"fuzzing.{name}")


def dice_of(name: str, seed: int, number: int) -> random.Random:
    """What decides a case. A text seeds the same on any machine."""
    return random.Random(f"{seed}/{name}/{number}")


def lay_out(base: Path, files: Files, folder: Path) -> None:
    """Writes the valid files of a target with some replaced."""
    shutil.copytree(base, folder)
    for name, content in files.items():
        path = folder / name
        if content is None:
            path.unlink(missing_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
