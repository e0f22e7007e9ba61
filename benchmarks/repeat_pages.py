"""Repeats what the pages quote of the phantom, for another version of it.

    python benchmarks/repeat_pages.py WORK
    python benchmarks/repeat_pages.py WORK --only planted alarms

Draws and prepares the cohorts that are not in WORK yet, runs the scripts one
after another, and keeps what each prints in WORK/tables/<name>.md below the
command and its processor time; `figure`, after `trainings`, is drawn into the
page. A table that stands is not made again. All take about an hour of one core.
What `phantom.md`, `small-data.md`, `study.md` and `measured.md` quote comes
from scripts of its own.
"""

import argparse
import os
import resource
import subprocess
import sys
from pathlib import Path

from few_subjects import COHORTS, make_cohorts

HERE = Path(__file__).parent
FIGURE = HERE.parent / "docs/images/training_curves.png"
# seed and subjects of what is made worse, beside the cohorts of few_subjects
COHORTS = COHORTS | {"worse": (777, "NC=24,AD=60")}
POOL, PAIR = ("fresh", "many"), ("few", "worse")
# the cohorts and options of each script, by the name of the table
TABLES = {
    # docs/features-and-copies.md
    "planted": ("passport.py", *POOL, "--part", "planted"),
    "alarms": ("passport.py", *POOL, "--part", "alarms"),
    "ranks": ("passport.py", *POOL, "--part", "ranks"),
    "cost": ("passport.py", *POOL, "--part", "cost"),
    "repeated_subjects": ("repeated_subjects.py", *POOL),
    "membership": ("membership.py", *POOL),
    "features_64": ("features.py", *PAIR, "--config", "axial_64"),
    "features_128": ("features.py", *PAIR, "--config", "axial_128"),
    # docs/training-curves.md
    "trainings": ("training_curves.py", "few", "trainings"),
    "figure": ("training_curves.py", "few", "trainings", "--figure", FIGURE),
    # docs/metrics.md
    "likeness": ("likeness.py", "--prepared", *PAIR, "--config", "axial_64"),
    "image_metrics": ("image_metrics.py", "worse", "--config", "axial_64"),
    "regions": ("regions.py", "few", "--config", "axial_128"),
}


def command_of(work, name):
    """The script of a table and its arguments, cohorts being folders."""
    script, *words = TABLES[name]
    folders = {each: work / each / "data" for each in COHORTS}
    folders["trainings"] = work / "trainings"
    words = [str(folders.get(word, word)) for word in words]
    return [sys.executable, str(HERE / script), *words]


def make(work, name):
    """Runs a script, and keeps the table if it did not fail."""
    command = command_of(work, name)
    environment = {"OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    before = processor_seconds()
    done = subprocess.run(
        command,
        env=environment | os.environ,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    minutes = (processor_seconds() - before) / 60
    words = [HERE.name + "/" + TABLES[name][0], *TABLES[name][1:]]
    said = f"`{' '.join(map(str, words))}`, {minutes:.1f} minutes"
    table = work / "tables" / f"{name}.md"
    table.write_text(f"{said} of processor time\n\n{done.stdout}")


def processor_seconds():
    """Of all scripts that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", type=Path)
    parser.add_argument("--only", nargs="+", choices=TABLES, default=TABLES)
    options = parser.parse_args()
    used = {word for name in options.only for word in TABLES[name]}
    make_cohorts(options.work, {n: COHORTS[n] for n in COHORTS if n in used})
    (options.work / "tables").mkdir(exist_ok=True)
    for name in options.only:
        if not (options.work / "tables" / f"{name}.md").exists():
            print(name, flush=True)
            make(options.work, name)


if __name__ == "__main__":
    main()
