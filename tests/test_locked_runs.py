"""Every pair of commands at one run: the second one leaves all as it was."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pet_dcgan import demo
from pet_dcgan.evaluation import evaluate as evaluation
from pet_dcgan.runs.run import Run
from pet_dcgan.serving import export as exporting
from pet_dcgan.serving.generate import generate
from pet_dcgan.study import study as studying
from pet_dcgan.training import train as training
from pet_dcgan.utils.lock_file import held
from pet_dcgan.utils.locks import working_in
from tfds_adni import preparation


def contents(folder):
    """Every file and its bytes."""
    return {
        path.relative_to(folder): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
        if path.name != ".lock"
    }


def train(run, tmp_path):
    training.train(run.config, run.path, resume=False)


def resume(run, tmp_path):
    training.train(run.config, run.path, resume=True)


def evaluate(run, tmp_path):
    evaluation.evaluate(run)


def export(run, tmp_path):
    exporting.export_run(run, tmp_path / "models")


WORK = [train, resume, evaluate, export]


@pytest.mark.parametrize("first", ["train", "evaluate", "export"])
@pytest.mark.parametrize("second", WORK)
def test_the_second_of_two_is_refused(make_run, tmp_path, first, second):
    run = make_run()
    (run.path / ".partial-12345678.log.csv").touch()  # the first one's
    before = contents(tmp_path)
    with (
        held(run.path / ".lock", first, place=run.path),
        pytest.raises(BlockingIOError, match=f"another pet-dcgan {first} "),
    ):
        second(run, tmp_path)
    assert contents(tmp_path) == before


@pytest.mark.slow  # three processes start TensorFlow
@pytest.mark.parametrize("second", [train, evaluate, export])
def test_the_command_line_says_so_in_one_line(make_run, tmp_path, second):
    run = make_run()
    words = {
        train: ["train", "--stage", "AD", "--config", "axial_32"],
        evaluate: ["evaluate", run.path],
        export: ["export", run.path, "--to", tmp_path / "models"],
    }
    words[train] += ["--data-dir", run.config.data_dir, "--run", run.path]
    words[train] += ["--preset", "demo"]
    line = [sys.executable, "-m", "pet_dcgan", *map(str, words[second])]
    with held(run.path / ".lock", "train", place=run.path):
        ended = subprocess.run(
            line, capture_output=True, text=True, check=False, timeout=300
        )
    assert ended.returncode == 1
    (last,) = [x for x in ended.stderr.splitlines() if "another" in x]
    assert last == (
        f"pet-dcgan: another pet-dcgan train (process {os.getpid()} on this "
        f"machine) is working in {run.path}: wait for it, or stop it first"
    )


def test_of_several_processes_only_the_chief_takes_the_lock(
    make_run, monkeypatch
):
    run = make_run()
    monkeypatch.setattr(training, "is_chief", lambda strategy: False)
    with (
        held(run.path / ".lock", "train", place=run.path),
        pytest.raises(ValueError, match="at least one batch"),  # much later
    ):
        resume(run, None)


def test_other_folders_are_locked_as_well(tmp_path, toy_models):
    folder = tmp_path / "folder"
    with held(folder / ".lock", "study", place=folder):
        for work in (
            lambda: studying.run_study(None, folder),
            lambda: demo.run_demo(folder),
        ):
            with pytest.raises(BlockingIOError, match=r"another .* study"):
                work()
    out = tmp_path / "images"
    with (
        held(tmp_path / ".images.lock", "generate", place=out),
        pytest.raises(BlockingIOError, match=f"generate .* in {out}: "),
    ):
        generate(toy_models / "ad", count=1, out=out)
    sets = tmp_path / "data" / "adni"
    with (
        held(sets / ".lock", "prepare", place=sets.parent),
        pytest.raises(BlockingIOError, match="another pet-dcgan prepare"),
    ):
        preparation.prepare(tmp_path / "absent", sets.parent)
    assert not list(tmp_path.rglob("*.*"))


def test_a_new_run_takes_the_lock_along(tmp_path, tiny_config):
    """At no moment is the folder of a run without it."""
    path = tmp_path / "ad"
    (tmp_path / ".partial-12345678.ad").mkdir()
    with working_in(path, "train"):
        run = Run.create(path, tiny_config(), ["a"])
        with (
            pytest.raises(BlockingIOError, match="another pet-dcgan train"),
            held(path / ".lock", "train", place=path),
        ):
            pass
    assert sorted(p.name for p in tmp_path.iterdir()) == ["ad"]
    assert sorted(p.name for p in path.iterdir()) == [
        *("config.json", "subjects.csv")
    ]
    assert Run.open(path).subjects == run.subjects


@pytest.mark.usefixtures("quick_encoder")
def test_a_run_that_may_not_be_written_is_exported_and_not_evaluated(
    make_run, tmp_path, monkeypatch
):
    run, opened = make_run(), os.open
    before = contents(run.path)

    def read_only(path, flags, mode=0o777, **more):
        inside = str(path).startswith(str(run.path))
        if inside and flags & (os.O_CREAT | os.O_WRONLY | os.O_RDWR):
            raise OSError(30, "Read-only file system", str(path))
        return opened(path, flags, mode, **more)

    monkeypatch.setattr(os, "open", read_only)
    monkeypatch.setattr(
        evaluation, "evaluation_images", lambda *_, **__: pytest.fail("worked")
    )
    for work in (evaluate, resume):
        with pytest.raises(OSError, match="Read-only file system"):
            work(run, tmp_path)
    export(run, tmp_path)
    assert contents(run.path) == before
    assert Path(tmp_path, "models", "ad", "1").is_dir()
