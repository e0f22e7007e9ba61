"""Hundreds of random folders through `gather`, against what was planted."""

import contextlib
import os
import random
import re
import tempfile
from collections import Counter
from itertools import chain
from pathlib import Path

import pytest
import tree_bids
import tree_ida
from tree_plan import Tree, plan_selection
from tree_truth import truth

from tfds_adni.cohort import COLUMNS, gather, survey
from tfds_adni.cohort.selection import Selection
from tfds_adni.cohort.splits import assign_splits

pytestmark = pytest.mark.usefixtures("cache_home")

FAST = range(100)
SLOW = range(100, 3000)
# What a reason must say, by the kind that was planted.
KINDS = {
    "file": "unreadable|truncated|shape|header|link|missing|size|GiB|voxel",
    "tracer": "another tracer",
    "stage": "stage|SMC|diagnosis|contradict",
    "date": "date|diagnosis|stage",
    "qc": "quality control",
    "unlisted": "not in the collection",
    "level": "same visit",
    "another level": "another level",
    "later": "later visit",
    "id": "no image id",
    "dicom": "DICOM.*dcm2niix",
    "ecat": "ECAT.*pypet2bids",
    "modality": "not PET",
    "two subjects": "two subjects",
    "link": "symbolic link",
    "copy": "copy|second file",
}


@pytest.fixture
def home():
    """An empty folder in memory where there is such a disk: trees are many."""
    disk = "/dev/shm"
    place = disk if os.access(disk, os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=place) as folder:
        yield Path(folder)


def make(home, seed):
    """Writes the tree of a seed below an empty folder, with faults mixed in."""
    rng = random.Random(seed)
    folder = home / rng.choice(("scans", "my scans", "Fälle aus Zürich"))
    folder.mkdir(parents=True)
    tree = Tree(folder=folder, selection=plan_selection(rng))
    layout = tree_bids if rng.random() < 0.25 else tree_ida
    layout.write(tree, rng)
    return tree


def check_tree(home, seed):
    """One tree: every file in the account once, as planted."""
    tree = make(home, seed)
    selection = Selection(**tree.selection)
    planted = truth(tree.scans, tree.exams, selection)
    cohort = survey(tree.folder, selection)
    account = cohort.account(tree.folder)
    rows = {row["path"]: row for row in account.to_dict("records")}
    check_every_file_once(tree, account)
    for one in planted:
        check_scan(one, rows)
    for path, kind in tree.loose.items():
        check_reason(rows[path], {kind})
    for path in tree.optional & rows.keys():
        assert not rows[path]["used"], path
    check_cohort(cohort)
    check_stages(cohort, planted)
    if not cohort.used:
        with pytest.raises(
            ValueError, match=r"^expected [^\n]*, found [^\n]*$"
        ):
            gather(tree.folder, selection)


def check_every_file_once(tree, account):
    assert tuple(account.columns) == COLUMNS
    assert account["path"].is_unique
    files = set(tree.loose)
    for scan in tree.scans:
        files |= {*scan.paths, *chain(*scan.copies), *scan.broken}
    assert files <= set(account["path"]) <= files | tree.optional
    assert all(account["used"] == (account["reason"] == ""))


def check_scan(one, rows):
    """One copy is used with all its frames; which of them is not said."""
    scan = one.scan
    copies = [scan.paths, *scan.copies]
    if len(copies) == 1 and not scan.broken:
        for path in scan.paths:
            check_row(one, rows[path])
        return
    used = [c for c in copies if any(rows[path]["used"] for path in c)]
    assert len(used) == bool(one.used), used
    for path in chain(*used):
        check_row(one, rows[path])
    for path in {*scan.broken, *chain(*copies)} - {*chain(*used)}:
        check_reason(rows[path], {"copy", "file", *one.kinds})


def check_row(one, row):
    if one.used is not None:
        assert row["used"] == one.used, row
    if not row["used"]:
        kinds = one.kinds | ({"stage"} if one.used is None else set())
        check_reason(row, kinds)
    if row["used"] or one.kinds <= {"level", "later"}:
        for name in ("subject", "image_id", "date", "tracer", "level"):
            assert row[name] == getattr(one.scan, name), row
        assert row["stage"] == one.stage, row
        assert row["label_source"].startswith(one.source), row
        assert (";" in row["label_source"]) == one.disputed, row


def check_reason(row, kinds):
    assert not row["used"], row
    words = "|".join(KINDS[kind] for kind in kinds)
    assert re.search(words, row["reason"]), (kinds, row)


def check_stages(cohort, planted):
    """A subject counts for its earliest stage; what differs is reported."""
    used = [p for p in planted if p.used]
    if any(p.used is None for p in planted):
        return
    used.sort(key=lambda p: (p.scan.date or "9999", p.scan.visit))
    first = {p.scan.subject: p.stage for p in reversed(used)}
    assert cohort.stage_of_subject == first
    text = "\n".join(cohort.warnings)
    assert ("disagree" in text) == any(p.disputed for p in used)
    assert ("several" in text) == (len({p.scan.level for p in used}) > 1)


def check_cohort(cohort):
    """What holds of the scans used, whatever was planted."""
    used = cohort.used
    counts = cohort.summary()
    assert sum(c.total() for c in counts.values()) == len(cohort.decisions)
    assert counts.get("used", Counter()).total() == len(used)
    assert len({v.record.image_id for v in used}) == len(used)
    days = {(v.record.subject, v.record.date, v.record.visit) for v in used}
    assert len(days) == len(used)
    stages = cohort.stage_of_subject
    assert set(stages) == {v.record.subject for v in used}
    full = {s for s in stages.values() if [*stages.values()].count(s) >= 3}
    subjects = {k: s for k, s in stages.items() if s in full}
    if subjects:
        assert assign_splits(subjects).keys() == subjects.keys()


@pytest.mark.parametrize("seed", FAST)
def test_account_of_a_random_tree(home, seed):
    check_tree(home, seed)


@pytest.mark.slow
def test_account_of_thousands_of_random_trees(home):
    for seed in SLOW:
        check_tree(home / str(seed), seed)


@pytest.mark.parametrize("seed", range(6))
def test_account_does_not_depend_on_the_order_of_files(home, seed, monkeypatch):
    tree, rng = make(home, seed), random.Random(seed)
    cohort = survey(tree.folder, Selection(**tree.selection))
    scandir, listdir = os.scandir, os.listdir

    def shuffled_scandir(path="."):
        with scandir(path) as entries:
            return contextlib.nullcontext(shuffled(entries))

    def shuffled(names):
        return rng.sample(names := list(names), len(names))

    monkeypatch.setattr(os, "scandir", shuffled_scandir)
    monkeypatch.setattr(os, "listdir", lambda p=".": shuffled(listdir(p)))
    for _ in range(2):
        again = survey(tree.folder, Selection(**tree.selection))
        assert again.account(tree.folder).equals(cohort.account(tree.folder))
        assert again.warnings == cohort.warnings
