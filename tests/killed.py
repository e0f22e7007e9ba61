"""Kills a command at one moment after another and lets it run again.

Usage: python killed.py COMMAND INPUTS WORK [KILLS [SEED [kill|interrupt]]]

A moment is a file operation in the folder of results, the kinds of them that
change its names first, or, for a quarter of them, a time. At an operation the
process kills itself, and its workers must end by themselves; at a time the
whole process group is killed. Prints a JSON line for each moment; its
`problems` are what differs after the second time from an undisturbed command.

Every run is a fork: TensorFlow is imported once, and not used before it.
"""

import contextlib
import csv
import dataclasses
import functools
import io
import itertools
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path

import ida_tree
import study_toy
import toy_cohort
import toy_data
from training_process import SETTINGS

from pet_dcgan import demo
from pet_dcgan.evaluation.evaluate import evaluate
from pet_dcgan.features.train_encoder import random_encoder
from pet_dcgan.runs import run as runs
from pet_dcgan.runs.run import Run
from pet_dcgan.serving.export import export_run
from pet_dcgan.serving.generate import generate
from pet_dcgan.study.study import run_study
from pet_dcgan.training.train import resolve_config, train
from tfds_adni import prepare
from tfds_adni.phantom import Grid, write_cohort

GRID = Grid((20, 24, 20), 8.0)
PATIENCE = 600  # seconds, on a busy machine
# the kinds that change names; between two of them lie the narrow moments
CHANGES = ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link")

# the code that TensorFlow generates, which it removes unless it is killed
AUTOGRAPH = "__autograph_generated_file"


# --- what is killed -----------------------------------------------------------


def untrained(images_suvr, *, positions_mm, subjects, seed):
    """Training an encoder takes most of an evaluation, and writes nothing."""
    return random_encoder(images_suvr, seed=seed + 1)


def make_phantom(inputs, work):
    write_cohort(work / "out", subjects={"NC": 1, "AD": 2}, jobs=2, grid=GRID)


def make_set(inputs, work, **options):
    prepare(inputs / "scans", work / "data", config="axial_64", **options)


def train_run(inputs, work):
    config = resolve_config(
        "demo",
        data_dir=inputs / "set",
        dataset="axial_32",
        stage="AD",
        overrides=SETTINGS | {"epochs": 6},
    )
    run = work / "run"
    train(config, run, resume=(run / "config.json").exists(), verbose=0)


def evaluate_run(inputs, work):
    evaluate(Run.open(work / "run"), count=64, search=64)


def export_model(inputs, work):
    export_run(Run.open(inputs / "evaluated"), work / "models")


def draw_images(inputs, work):
    model = str(inputs / "models" / "ad")
    generate(model, count=8, seed=1, out=work / "out", format="nifti")


def make_study(inputs, work):
    out = work / "study"
    settings = study_toy.make_settings(
        inputs / "set", fractions=(100,), steps=10
    )
    run_study(settings, out, resume=(out / "settings.json").exists())


def make_demo(inputs, work):
    demo.QUICK = dataclasses.replace(
        demo.QUICK,
        subjects=3,
        overrides={"epochs": 1, "width": 4, "batch_size": 4},
        search=100,
    )
    demo.STAGES = ("AD",)
    demo.write_cohort = lambda out, **_: write_cohort(
        out, subjects=dict.fromkeys(("NC", "MCI", "AD"), 3), jobs=2, grid=GRID
    )
    demo.evaluate = functools.partial(evaluate, count=100)
    demo.run_demo(work / "demo", quick=True, say=lambda line: None)


def finished_run(path, inputs):
    run = toy_cohort.cohort_run(path, inputs / "cohort")
    (path / "log.csv").write_text("epoch,d_loss,g_loss\n1,1.2,0.8\n")
    return run


def evaluated_run(path, inputs):
    evaluate(finished_run(path, inputs), count=100, search=100)


# How the inputs are made, each from those before it.
INPUTS = {
    "scans": lambda path, inputs: ida_tree.write_tree(
        path, ida_tree.cohort_rows(4)
    ),
    "set": lambda path, inputs: toy_data.prepare(path),
    "cohort": lambda path, inputs: toy_cohort.prepare(path),
    "run": finished_run,
    "evaluated": evaluated_run,
    "models": lambda path, inputs: export_run(
        Run.open(inputs / "evaluated"), path
    ),
}


@dataclasses.dataclass(frozen=True)
class Command:
    """What is killed.

    Attributes:
        run: Makes the results in a folder, the second time, too.
        needs: Names of inputs.
        copied: Those of them that it changes: copied to the results.
        done: Errors that say that all was done the first time.
        adds: Whether it makes something new each time, so that the second
            time may also end like the second time of an undisturbed one.
    """

    run: Callable[[Path, Path], None]
    needs: tuple[str, ...] = ()
    copied: Mapping[str, str] = dataclasses.field(default_factory=dict)
    done: tuple[type[Exception], ...] = ()
    adds: bool = False


ran = ("cohort", "run")
COMMANDS = {
    "phantom": Command(make_phantom, done=(FileExistsError,)),
    "prepare": Command(
        functools.partial(make_set, jobs=1), ("scans",), done=(FileExistsError,)
    ),
    "prepare-jobs": Command(
        functools.partial(make_set, jobs=2), ("scans",), done=(FileExistsError,)
    ),
    "prepare-beam": Command(
        functools.partial(make_set, beam_options="--runner=DirectRunner"),
        ("scans",),
        done=(FileExistsError,),
    ),
    "train": Command(train_run, ("set",), done=(ValueError,)),
    "evaluate": Command(evaluate_run, ran, {"run": "run"}),
    "evaluate-again": Command(
        evaluate_run, (*ran, "evaluated"), {"evaluated": "run"}
    ),
    "export": Command(export_model, (*ran, "evaluated"), adds=True),
    "generate": Command(
        draw_images, (*ran, "evaluated", "models"), done=(FileExistsError,)
    ),
    "study": Command(make_study, ("set",)),
    "demo": Command(make_demo),
}


# --- one run ------------------------------------------------------------------


def fork(work, log, *, stop_after=None):
    """Runs in a child of its own process group.

    Args:
        work: Called there.
        log: Gets what it prints.
        stop_after: Seconds until it is killed with its whole group.

    Returns:
        Its exit code, negative for a signal, and how many of its processes
        live on a while after it.
    """
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setsid()
            with log.open("a") as file:
                os.dup2(file.fileno(), 1)
                os.dup2(file.fileno(), 2)
            tempfile.tempdir = str(log.with_name("tmp"))
            os.environ["TMPDIR"] = tempfile.tempdir
            work()
            code = 0
        except KeyboardInterrupt:
            code = 130
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)
    deadline = time.monotonic() + (stop_after or PATIENCE)
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            break
        if time.monotonic() > deadline:
            os.killpg(child, signal.SIGKILL)
        time.sleep(0.005)
    deadline = time.monotonic() + 20
    while alive(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    return os.waitstatus_to_exitcode(status), alive(child)


def alive(session):
    """Counts the processes of a session."""
    count = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            count += fields[3] == str(session) and fields[0] != "Z"
    return count


def watched(command, inputs, work, reached=lambda event: None):
    """Runs a command.

    Args:
        command: One of `COMMANDS`.
        inputs: Folder of its inputs.
        work: Folder of its results.
        reached: Called at each file operation in it with its name.
    """

    def watch(event, arguments):
        on_disk = event.startswith(("open", "os.", "shutil."))
        if on_disk and str(work) in str(arguments[:2]) and os.getpid() == me:
            reached(event)

    me = os.getpid()
    sys.addaudithook(watch)
    try:
        command.run(inputs, work)
    except command.done as error:
        print(f"done: {error}", flush=True)


def stop_at(moment, how):
    """Stops this process at one of its file operations, by their number."""
    numbers = itertools.count(1)

    def reached(event):
        if next(numbers) == moment:
            if how == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            raise KeyboardInterrupt

    return reached


def content(folder):
    """What is in a folder, but for times.

    Not compared are TensorBoard's files, which hold times, and the column of
    seconds of a log.
    """
    found = {}
    for path in folder.rglob("*"):
        name = str(path.relative_to(folder))
        if "tensorboard" in path.parts:
            continue
        if not path.is_file() or path.is_symlink():
            found[name] = None
        elif path.name == "log.csv":
            rows = csv.DictReader(io.StringIO(path.read_text()))
            found[name] = [{**row, "seconds": ""} for row in rows]
        else:
            found[name] = path.read_bytes()
    return found


# --- all moments --------------------------------------------------------------


class Driver:
    """Runs a command again and again in one place."""

    def __init__(self, name, inputs, work):
        self.command, self.inputs = COMMANDS[name], inputs
        self.place, self.log = work / "place", work / "log.txt"
        (work / "tmp").mkdir(parents=True, exist_ok=True)
        self.temporary = work / "tmp"
        inputs.mkdir(exist_ok=True)
        for each in self.command.needs:
            path = inputs / each
            if not path.exists():
                made = path.with_name(f"new-{each}")
                self.must(functools.partial(INPUTS[each], made, inputs))
                made.rename(path)

    def must(self, work):
        """Runs what must end well."""
        code, _ = fork(work, self.log)
        if code:
            raise SystemExit(self.log.read_text())

    def clear(self):
        """Starts anew."""
        shutil.rmtree(self.place, ignore_errors=True)
        self.place.mkdir()
        for source, name in self.command.copied.items():
            shutil.copytree(self.inputs / source, self.place / name)
        for path in self.temporary.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def undisturbed(self):
        """Makes what is expected, and finds the moments."""
        trace, events = self.log.with_name("trace.json"), []
        self.clear()
        before = time.monotonic()

        def run():
            self.run(events.append)
            trace.write_text(json.dumps(events))

        self.must(run)
        self.seconds = time.monotonic() - before
        self.events = json.loads(trace.read_text())
        self.expected = [content(self.place)]
        if self.command.adds:
            self.must(self.run)
            self.expected.append(content(self.place))

    def run(self, *reached):
        """Runs the command, in a child."""
        watched(self.command, self.inputs, self.place, *reached)

    def stopped(self, *, how="kill", moment=0, stop_after=None):
        """Stops the command, runs it again and says what is wrong then."""
        self.clear()
        self.log.write_text("")
        code, living = fork(
            lambda: self.run(stop_at(moment, how)),
            self.log,
            stop_after=stop_after,
        )
        left = len(content(self.place))
        again, living_later = fork(self.run, self.log)
        found = content(self.place)
        problems = min((differ(e, found) for e in self.expected), key=len)
        problems += [
            f"temporary: {path.name}"
            for path in self.temporary.iterdir()
            if not path.name.startswith(AUTOGRAPH)
        ]
        if living or living_later:
            problems.append(f"{living} and {living_later} processes live on")
        if again:
            lines = self.log.read_text().splitlines()
            problems.append(f"code {again}: {' '.join(lines[-1:])[:300]}")
        return {"code": code, "left": left, "problems": problems}


def differ(expected, found):
    """Says in what two folders differ."""
    both = expected.keys() & found
    return sorted(
        [f"missing: {name}" for name in expected.keys() - found]
        + [f"left: {name}" for name in found.keys() - expected]
        + [f"other: {n}" for n in both if found[n] != expected[n]]
    )


def moments_of(events, kills, dice):
    """Numbers of operations: half at changes of names, spread over all."""
    changes = [n for n, e in enumerate(events, 1) if e in CHANGES]
    chosen = set(spread(changes, (kills + 1) // 2, dice))
    others = [n for n in range(1, len(events) + 2) if n not in chosen]
    return sorted(chosen | set(spread(others, kills - len(chosen), dice)))


def spread(numbers, count, dice):
    """One number of each of `count` parts of a list, or all of a short one."""
    if count >= len(numbers):
        return numbers
    ends = [len(numbers) * n // max(count, 1) for n in range(count + 1)]
    return [
        numbers[dice.randrange(first, last)]
        for first, last in itertools.pairwise(ends)
    ]


def main(name, inputs, work, kills="3", seed="0", how="kill"):
    runs.train_encoder = untrained
    driver = Driver(name, Path(inputs), Path(work))
    driver.undisturbed()
    dice, events = random.Random(f"{name} {seed}"), driver.events
    timed = min(int(kills) // 4, 5) if how == "kill" else 0
    for moment in moments_of(events, int(kills) - timed, dice):
        at = events[moment - 1] if moment <= len(events) else "end"
        line = {"moment": f"{moment} of {len(events)}: {at}"}
        print(
            json.dumps(line | driver.stopped(how=how, moment=moment)),
            flush=True,
        )
    for _ in range(timed):
        after = dice.uniform(0, driver.seconds)
        line = {"moment": f"{after:.2f} of {driver.seconds:.2f} s"}
        print(json.dumps(line | driver.stopped(stop_after=after)), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
