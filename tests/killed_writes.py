"""Runs a command again and again, stopped at one file operation after another.

Usage: python killed_writes.py COMMAND METRICS WORK kill|interrupt FIRST STEP

COMMAND is evaluate, export, generate or demo, without what is computed in them;
METRICS a `metrics.json`, WORK a new folder. Prints a JSON line for each moment:
the state that lay there after it and after the same command again, by its
name ("" for any other), with what begins with a point left out of the first.
"""

import contextlib
import dataclasses
import io
import itertools
import json
import os
import shutil
import signal
import sys
import traceback
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import tensorflow as tf  # noqa: F401 - once, before the forks
from PIL import Image
from tensorflow.core.protobuf import saved_model_pb2
from test_model_info import FACTS
from toy_run import make_run

from pet_dcgan import demo
from pet_dcgan.evaluation import evaluate as evaluating
from pet_dcgan.models.model_info import SIGNATURES
from pet_dcgan.models.warmup import write_warmup
from pet_dcgan.runs.run import Run
from pet_dcgan.serving import export as exporting
from pet_dcgan.serving import generate as generating
from pet_dcgan.serving.model_folder import repair_models
from pet_dcgan.utils.files import replacing
from pet_dcgan.utils.locks import working_in


def main(command, metrics, work, how, first, step):
    metrics = json.loads(Path(metrics).read_text())
    case = CASES[command](metrics, Path(work, "start"))
    case.start.parent.mkdir(parents=True)
    fork(case.begin)
    whole = Path(work, "whole")
    shutil.copytree(case.start, whole)
    fork(lambda: case.work(whole))
    before, after = content(case.start), content(whole)
    states = case.states(before, after)
    for moment in itertools.count(int(first), int(step)):
        folder = Path(work, f"{how}{moment}")
        shutil.copytree(case.start, folder)
        reached = fork(lambda: run(case, folder, how, moment))  # noqa: B023
        line = {"left": named(visible(content(folder)), states)}
        line["right"] = case.is_right(folder)
        fork(lambda: case.again(folder))  # noqa: B023
        line["again"] = content(folder) == after
        if not line["again"]:
            found = content(folder)
            line["differ"] = sorted(
                name
                for name in found.keys() | after.keys()
                if found.get(name) != after.get(name)
            )
        print(json.dumps(line), flush=True)
        shutil.rmtree(folder)
        if not reached:
            break


def run(case, folder, how, moment):
    """Works, and ends at the given file operation below the folder."""
    count = 0

    def watch(event, arguments):
        nonlocal count
        on_disk = event.startswith(("open", "os.", "shutil."))
        if on_disk and str(folder) in str(arguments[:2]):
            count += 1
            if count == moment:
                if how == "kill":
                    os.kill(os.getpid(), signal.SIGKILL)
                raise KeyboardInterrupt

    sys.addaudithook(watch)
    try:
        case.work(folder)
    except KeyboardInterrupt:
        return 1
    return 0


def fork(work):
    """Runs in a child; says whether it was stopped."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        code = 2
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                code = work() or 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) == 2:
        raise SystemExit("it failed in another way")
    return status != 0


def content(folder):
    """Every file, and folders without any."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        if path.is_file()
        else b""
        for path in folder.rglob("*")
        if path.is_file() or not any(path.iterdir())
    }


def visible(files):
    return {n: c for n, c in files.items() if "/." not in f"/{n}"}


def named(found, states):
    return next((name for name, each in states.items() if each == found), "")


# --- commands, without what they compute --------------------------------------


class Case:
    """A command on a folder, which begins as a copy of `start`."""

    def __init__(self, metrics, start):
        self.metrics, self.start = metrics, start

    def begin(self):
        self.start.mkdir()

    def again(self, folder):
        self.work(folder)

    def states(self, before, after):
        return {"before": visible(before), "after": visible(after)}

    def is_right(self, folder):
        return True

    def make_run(self, folder, stage="AD"):
        run = make_run(folder, "nowhere", stage, finished=False)
        (run.path / "generator.keras").write_bytes(b"weights")
        return run

    def evaluate(self, run, seed):
        """An evaluation of given numbers, with fewer figures for seed 1."""
        facts = {"seed": seed, "stage": run.config.stage}
        names = ["nearest.png", "closest.png"][: 2 - seed]

        def save_figures(folder, *_):
            for name in names:
                Image.new("L", (1, 1), seed).save(folder / name)
            words = {"title": "A figure", "caption": f"of seed {seed}"}
            return dict.fromkeys(names, words)

        evaluating.evaluation_images = lambda *_, **__: None
        evaluating._encoders = lambda *_: {}
        evaluating._measure = lambda *_: (self.metrics | facts, None)
        evaluating.assess = lambda found: found["assessment"]
        evaluating.save_figures = save_figures
        evaluating.evaluate(run)

    def export(self, run, to, **options):
        """An export of a graph that has signatures and nothing else."""
        exporting.generator_of = lambda _: None
        exporting.model_info = model_info
        exporting.write_archive = write_archive
        exporting._training_slices = lambda _: 12
        Run.load_generator = lambda _: None
        exporting.export_run(run, to, **options)


def model_info(network, facts, **_):
    return dataclasses.replace(FACTS, stage=facts.stage)


def write_archive(network, folder, info):
    model = saved_model_pb2.SavedModel()
    graph = model.meta_graphs.add()
    for name in SIGNATURES:
        graph.signature_def[name].method_name = "predict"
    (folder / "variables").mkdir(parents=True)
    (folder / "variables" / "variables.index").write_bytes(b"weights")
    (folder / "saved_model.pb").write_bytes(model.SerializeToString())
    info.write(folder)
    write_warmup(folder, info)


class Evaluate(Case):
    """A second evaluation of a run."""

    def begin(self):
        self.evaluate(self.make_run(self.start), 0)

    def work(self, folder):
        self.evaluate(Run.open(folder), 1)

    def states(self, before, after):
        absent = {
            name: each
            for name, each in before.items()
            if not name.startswith("evaluation/")
        }
        return super().states(before, after) | {"not evaluated": absent}


class Export(Case):
    """A second version, or only the repair where it is there already."""

    def begin(self):
        self.evaluate(self.make_run(self.start / "run"), 0)
        self.export(Run.open(self.start / "run"), self.start / "models")
        self.evaluate(Run.open(self.start / "run"), 1)

    def work(self, folder):
        self.export(Run.open(folder / "run"), folder / "models")

    def again(self, folder):
        if (folder / "models" / "ad" / "2").exists():
            repair_models(folder / "models")
            with working_in(folder / "run", "export"):
                pass
        else:
            self.work(folder)

    def is_right(self, folder):
        """What a server and a reader need at every moment."""
        base = folder / "models" / "ad"
        card = (base / "MODEL_CARD.md").read_text()
        found = [path for path in base.iterdir() if path.name.isdecimal()]
        described = any(f"| version | {p.name} |" in card for p in found)
        loadable = all(
            (path / "assets.extra" / name).is_file()
            for path in found
            for name in ("model.json", "MODEL_CARD.md", "metrics.json")
        )
        listed = 'name: "ad"' in (folder / "models/models.config").read_text()
        return described and loadable and listed


class Generate(Case):
    """A batch beside the unfinished one of another name."""

    def begin(self):
        other = self.start / ".other.unfinished" / "images"
        other.mkdir(parents=True)
        (other / "synthetic.png").write_bytes(b"half")
        (self.start / ".other.lock").touch()

    def work(self, folder):
        file = io.BytesIO()
        pixels = np.arange(32 * 32, dtype=np.uint16).reshape(32, 32)
        Image.fromarray(pixels).save(file, "png")
        model = SimpleNamespace(
            facts=dataclasses.replace(FACTS, max_rows=2),
            version="1",
            draw=lambda seeds: [file.getvalue()] * len(seeds),
        )
        generating.opened = lambda *_, **__: contextlib.nullcontext(model)
        generating.generate("models/ad", count=5, out=folder / "images")

    def again(self, folder):
        # the folder that is there already is the whole one
        with contextlib.suppress(FileExistsError):
            self.work(folder)


class Demo(Case):
    """All steps of two stages."""

    def begin(self):
        (self.start).mkdir()

    def work(self, folder):
        out = folder / "demo"

        def put(path, *names):
            with replacing(path) as made:
                made.mkdir()
                for name in names:
                    (made / name).write_bytes(b"data")

        def train(config, path, *, resume, verbose):
            if not resume:
                self.make_run(path, config).path.joinpath(
                    "generator.keras"
                ).unlink()
            Run.open(path).save_generator(None)

        def save_generator(run, model):
            with replacing(run.path / "generator.keras") as file:
                file.write_bytes(b"weights")

        stages = ("NC", "AD")
        Run.save_generator = save_generator
        demo.STAGES = stages
        demo.write_cohort = lambda path, **_: put(path, "tables.csv")
        version = f"adni/axial_64/{demo.Builder.VERSION}"
        demo.prepare = lambda _, path, **__: put(path / version, "records")
        demo.open_set = lambda *_: SimpleNamespace(
            subjects=dict.fromkeys(("train", stage) for stage in stages)
        )
        demo.resolve_config = lambda *_, stage, **__: stage
        demo.train = train
        demo.evaluate = lambda run, **_: self.evaluate(run, 0)
        demo.export_run = self.export
        Run.load_generator = lambda _: None
        demo.load_slices = lambda *_, **__: SimpleNamespace(
            images=np.zeros([2, 4, 4], np.uint16)
        )
        demo.synthetic_slices = lambda *_, **__: np.zeros([2, 4, 4])
        demo.save_sheet = lambda path, *_, **__: put(path)
        demo.run_demo(out, quick=True)


CASES = {
    "evaluate": Evaluate,
    "export": Export,
    "generate": Generate,
    "demo": Demo,
}


if __name__ == "__main__":
    main(*sys.argv[1:])
