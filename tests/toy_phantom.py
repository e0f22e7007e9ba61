"""A small phantom cohort of coarse volumes, and its files as the tests see."""

import csv

from tfds_adni.phantom import Grid, write_cohort

GRID = Grid((40, 40, 24), 6.0)


def write(out, **options):
    """Writes one with one process; options are those of `write_cohort`."""
    fixed = {"subjects": {"NC": 2, "MCI": 1, "AD": 1}, "jobs": 1, "grid": GRID}
    return write_cohort(out, **fixed | options)


def contents(folder):
    """The bytes of every file below a folder, by its path in it."""
    return {
        p.relative_to(folder).as_posix(): p.read_bytes()
        for p in folder.rglob("*")
        if p.is_file()
    }


def rows_of(path):
    """The rows of a table."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
