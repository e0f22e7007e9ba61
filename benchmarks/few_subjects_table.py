"""The table of what `few_subjects.py` found, in Markdown."""

import statistics

from few_subjects_results import at

COLUMNS = {
    "KID": ("frozen", "kid"),
    "precision": ("frozen", "precision"),
    "recall": ("frozen", "recall"),
    "density": ("frozen", "density"),
    "coverage": ("frozen", "coverage"),
    "KID, random encoder": ("random", "kid"),
    "MS-SSIM of pairs": ("ms_ssim",),
    "regions vary alike": ("regions", "correlation"),
    "nearer than held-out": ("copies", "share_nearer"),
    "authentic": ("copies", "authenticity"),
    "suspects": ("copies", "suspects"),
}


def table(rows, *, size, subjects, steps, minutes=None):
    """Markdown: medians over seeds, and all seeds' KID and recall.

    Args:
        rows: All rows.
        size: Of images.
        subjects: Trained on.
        steps: After which trainings are compared.
        minutes: Of processor time, for what had been reached by then instead.
    """
    heads = ["arm", "steps", "minutes", *COLUMNS, "KID, seeds", "recall, seeds"]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    found = {}
    for row in rows:
        here = (row["size"], row["subjects"]) == (size, subjects)
        if here and is_in_time(row, steps, minutes):
            arm = found.setdefault(row["arm"], {})
            # the same training may have been made to several lengths
            others = [row, arm[row["seed"]]] if row["seed"] in arm else [row]
            arm[row["seed"]] = max(others, key=farthest)
    lines += [
        cells(arm, [by_seed[seed] for seed in sorted(by_seed)])
        for arm, by_seed in sorted(found.items(), key=lambda x: x[0] != "real")
    ]
    return "\n".join(lines)


def farthest(row):
    """Orders moments: the later, then the one that was judged in full."""
    return row.get("step", 0), "ms_ssim" in row


def is_in_time(row, steps, minutes):
    """Whether a row belongs in a table; that of real images always does."""
    if "step" not in row:
        return True
    # half of its steps are on other stages: only its end compares
    if "warm" in row["arm"] and row["step"] < row["steps"]:
        return False
    if minutes is None:
        return row["step"] == steps
    return row["seconds"] <= 60 * minutes


def cells(arm, rows):
    """One line of the table."""
    steps, seconds = (
        statistics.median(row.get(name, 0) for row in rows)
        for name in ("step", "seconds")
    )
    found = [arm, f"{steps:,.0f}", f"{seconds / 60:.1f}"]
    for path in COLUMNS.values():
        values = [value for row in rows if (value := at(row, path)) is not None]
        found.append(f"{statistics.median(values):.3f}" if values else "")
    for path in (COLUMNS["KID"], COLUMNS["recall"]):
        found.append(" ".join(f"{at(row, path):.3f}" for row in rows))
    return "| " + " | ".join(found) + " |"
