"""Random folders of scans with the truth that was planted in them.

`make(folder, seed)` writes a folder in one of the forms that people have, with
faults mixed in, and gives what must be said of each of its image files.
"""

import dataclasses
import itertools
import random
from collections.abc import Iterator
from pathlib import Path

import tree_bids
import tree_ida
import tree_truth
from tree_plan import LEVELS


@dataclasses.dataclass(kw_only=True)
class Tree:
    """A folder as it was written.

    Attributes:
        folder: What is given to `gather`.
        selection: Keyword arguments of `Selection`.
        scans: The scans planned, with the files each has.
        exams: The rows of the diagnosis tables.
        loose: Image files that are no scan to use, each with the kind of
            reason that must be given.
        optional: Files that may be listed, and then are not used.
        spare_ids: Image ids that no planned scan has.
    """

    folder: Path
    selection: dict
    scans: list[tree_truth.Scan] = dataclasses.field(default_factory=list)
    exams: list[tree_truth.Exam] = dataclasses.field(default_factory=list)
    loose: dict[str, str] = dataclasses.field(default_factory=dict)
    optional: set[str] = dataclasses.field(default_factory=set)
    spare_ids: Iterator[int] = dataclasses.field(
        default_factory=lambda: itertools.count(900300)
    )

    def planted(self, selection) -> list[tree_truth.Planted]:
        """What must become of each scan."""
        return tree_truth.judge(self.scans, self.exams, selection)

    def name(self, path: Path) -> str:
        """A path as the account has it."""
        return str(path.relative_to(self.folder))


def make(home: Path, seed: int) -> Tree:
    """Writes the tree of a seed below an empty folder."""
    rng = random.Random(seed)
    folder = home / rng.choice(("scans", "my scans", "Fälle aus Zürich"))
    folder.mkdir(parents=True)
    tree = Tree(folder=folder, selection=_selection(rng))
    if rng.random() < 0.25:
        tree_bids.write(tree, rng)
    else:
        tree_ida.write(tree, rng)
    return tree


def _selection(rng) -> dict:
    """Options; the names of tables become paths once they are written."""
    levels = [*LEVELS, "pet_linear", "unknown"]
    rng.shuffle(levels)
    order = rng.choice(({}, {}, {}, {"levels": levels}, {"levels": levels[:3]}))
    return order | {
        "tracer": "AV45" if rng.random() < 0.1 else "FDG",
        "visits": rng.choice(("baseline", "all")),
        "smc": rng.choice(("drop", "drop", "keep")),
        "label_days": rng.choice((180, 180, 30, 365)),
        "diagnosis": rng.choice(
            ((), (), (), ("DXSUM",), ("ADNIMERGE",), ("ADNIMERGE", "DXSUM"))
        ),
        "qc": rng.choice(((), (), (), (), ("PETQC",), ("PETC3",))),
    }
