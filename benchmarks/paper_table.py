"""The paper's table, side by side: its whole protocol on a phantom cohort.

Islam & Zhang (2020), doi 10.1186/s40708-020-00104-2: a generator for each
stage, PSNR and SSIM against real images, and a classifier of NC and AD with
and without synthetic images. Here on simulated brains, as many of each stage
as the paper has scans, times --scale.

    python benchmarks/paper_table.py WORK --dry-run        # the sizes, no more
    python benchmarks/paper_table.py WORK --scale 0.25 --width 16 --epochs 50
    python benchmarks/paper_table.py WORK --scale 0.25 ... --table    # again

Steps that lie whole in WORK are not done again, so that a stopped run goes on.
WORK keeps the cohort, the set, a run of each stage, the study and table.md.
"""

import argparse
import json
import time
from pathlib import Path

# scans of each stage, as the paper's table gives them
PAPER = {"NC": 105, "MCI": 208, "AD": 98}
PICTURES = (("PSNR", 32.83, "dB", 1), ("SSIM", 77.48, "%", 100))
ACCURACY, GAIN = 71.45, 10.0  # percent and, it seems, points
STATED = {"width": 64, "epochs": 500, "batch_size": 64, "channels": 3}
# the paper does not say how images were paired
RULES = ("nearest", "random")


def sizes(options):
    """Subjects of each stage; three are the least that can be split."""
    return {s: max(3, round(n * options.scale)) for s, n in PAPER.items()}


def settings(options):
    """What the generators are told that the preset does not say."""
    given = {
        "width": options.width,
        "epochs": options.epochs,
        "batch_size": options.batch_size,
        "channels": options.channels,
    }
    return {name: value for name, value in given.items() if value is not None}


def claim(options):
    """Refuses a folder that holds the table of other options."""
    told = {
        "subjects": sizes(options),
        "dataset": options.config,
        "preset": options.preset,
        "settings": settings(options),
        "splits": options.splits,
        "seed": options.seed,
    }
    path = options.work / "options.json"
    if path.exists():
        found = json.loads(path.read_text(encoding="utf-8"))
        if found != told:
            raise SystemExit(
                f"expected the options of {path}, found others: choose another "
                "WORK"
            )
    options.work.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")


class Steps:
    """Does a step unless it is done, and keeps what each took."""

    def __init__(self, work):
        self.path = work / "seconds.json"
        self.seconds = {}
        if self.path.exists():
            self.seconds = json.loads(self.path.read_text(encoding="utf-8"))

    def __call__(self, name, work):
        """Does one, where it has not been done."""
        if name in self.seconds:
            return
        print(f"{name} ...", flush=True)
        start = time.monotonic()
        work()
        self.seconds[name] = round(time.monotonic() - start)
        self.path.write_text(json.dumps(self.seconds), encoding="utf-8")
        print(f"{name}: {self.seconds[name]} s", flush=True)


def make(options):
    """The whole protocol."""
    from pet_dcgan.study.settings import StudySettings
    from pet_dcgan.study.study import run_study
    from tfds_adni import prepare
    from tfds_adni.phantom import write_cohort

    work, step = options.work, Steps(options.work)
    scans, data = work / "scans", work / "data"
    counts = sizes(options)
    step(
        "phantom cohort",
        lambda: write_cohort(scans, subjects=counts, seed=options.seed),
    )
    step("prepared set", lambda: prepare(scans, data, config=options.config))
    for stage in PAPER:
        step(f"generator {stage}", lambda s=stage: train(options, s))
    for stage in PAPER:
        step(f"evaluation {stage}", lambda s=stage: judge(options, s))
    told = StudySettings(
        data_dir=str(data),
        dataset=options.config,
        fractions=(100,),
        splits=options.splits,
        preset=options.preset,
        overrides=settings(options),
        seed=options.seed,
    )
    out = work / "study"
    # with splits of its own the study trains its generators itself
    own = [work / "runs" / stage for stage in ("NC", "AD")]
    step(
        "classifiers",
        lambda: run_study(
            told,
            out,
            runs=own if options.splits == 1 else (),
            resume=(out / "settings.json").exists(),
        ),
    )
    return step.seconds


def train(options, stage):
    """A generator, or the rest of one."""
    from pet_dcgan.runs.run import Run
    from pet_dcgan.training.train import resolve_config
    from pet_dcgan.training.train import train as fit

    path = options.work / "runs" / stage
    started = (path / "config.json").exists()
    if started and Run.open(path).finished:
        return
    config = resolve_config(
        options.preset,
        data_dir=options.work / "data",
        dataset=options.config,
        stage=stage,
        overrides=settings(options),
        seed=options.seed,
    )
    fit(config, path, resume=started, verbose=0)


def judge(options, stage):
    """The numbers of a generator."""
    from pet_dcgan.evaluation.evaluate import evaluate
    from pet_dcgan.runs.run import Run

    evaluate(Run.open(options.work / "runs" / stage), seed=options.seed)


def mean_over_stages(work, metric, kind, rule):
    """The mean of a metric over the generators of all stages."""
    found = []
    for stage in PAPER:
        path = work / "runs" / stage / "evaluation" / "metrics.json"
        rules = json.loads(path.read_text(encoding="utf-8"))[metric][kind]
        if rules is None:  # one held-out subject has no other to go with
            return None
        found.append(rules[rule]["mean"])
    return sum(found) / len(found)


def study_row(summary, part, arm, metric="accuracy"):
    """One row of the study."""
    for row in summary[part]:
        if (row["arm"], row["metric"]) == (arm, metric):
            return row
    raise KeyError(f"{part} {arm} {metric}")


def percent(row, *, sign=""):
    """A share with its interval, in percent."""
    low, mean, high = (
        f"{100 * row[name]:{sign}.1f}" if row[name] is not None else None
        for name in ("low", "mean", "high")
    )
    if low is None:
        return f"{mean} (no interval: {row['reason']})"
    return f"{mean} ({low} to {high})"


def number(value, unit, scale=1.0):
    """A number with its unit, or that there is none."""
    return "-" if value is None else f"{scale * value:.2f} {unit}"


def table(options, seconds):
    """Markdown: the paper, here, and real against real."""
    work = options.work
    path = work / "study" / "study.json"
    summary = json.loads(path.read_text(encoding="utf-8"))
    real = study_row(summary, "arms", "real")
    with_both = study_row(summary, "arms", "real+synthetic")
    gain = study_row(summary, "differences", "real+synthetic")
    rows = [
        (
            f"{name}, {rule} real image",
            f"{stated} {unit}, pairs not stated",
            *(
                number(
                    mean_over_stages(work, name.lower(), kind, rule),
                    unit,
                    scale,
                )
                for kind in ("synthetic", "real")
            ),
        )
        for name, stated, unit, scale in PICTURES
        for rule in RULES
    ]
    rows += [
        (
            "accuracy NC/AD with synthetic images, %",
            f"{ACCURACY}, split not stated",
            f"{percent(with_both)}, by subject",
            f"{percent(real)}, real images only",
        ),
        (
            "gain of accuracy, points",
            f"{GAIN:.0f}, points or percent not stated",
            percent(gain, sign="+"),
            "0",
        ),
    ]
    lines = [
        heading(options, seconds, summary),
        "",
        "| | paper (ADNI) | here (PHANTOM) | real against real (PHANTOM) |",
        "|---|---|---|---|",
        *("| " + " | ".join(row) + " |" for row in rows),
    ]
    return "\n".join(lines) + "\n"


def heading(options, seconds, summary):
    """What the figures are of, and at what scale."""
    counts = ", ".join(f"{n} {s}" for s, n in sizes(options).items())
    tested = ", ".join(f"{n} {s}" for s, n in summary["tested"].items())
    from pet_dcgan.config import PRESETS

    values = PRESETS[options.preset] | settings(options)
    told = ", ".join(
        f"{name} {values[name]} (paper {stated})"
        for name, stated in STATED.items()
    )
    minutes = sum(seconds.values()) / 60
    return (
        "A PHANTOM: simulated brains, no patients; not a reproduction of the "
        f"paper's figures. Scale {options.scale:g}: {counts} subjects; "
        f"{options.config}; preset {options.preset}, {told}; classifiers: "
        f"{options.splits} splits, {tested} subjects tested. "
        f"{minutes:.0f} minutes."
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", type=Path)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--config", default="axial_128")
    parser.add_argument("--preset", default="paper")
    parser.add_argument("--width", type=int)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--channels", type=int, choices=(1, 3))
    parser.add_argument("--splits", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dry-run", action="store_true")
    parser.add_argument("--table", action="store_true")
    options = parser.parse_args()
    if options.dry_run:
        print(sizes(options), settings(options))
        return
    from pet_dcgan.cli.console import start_tensorflow

    claim(options)
    if options.table:
        seconds = Steps(options.work).seconds
    else:
        start_tensorflow()
        seconds = make(options)
    text = table(options, seconds)
    (options.work / "table.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
