import contextlib
import csv
import dataclasses
import json
import re
import zlib

import numpy as np
import pytest
from study_toy import make_settings
from toy_run import make_run

from pet_dcgan.study import study
from pet_dcgan.study.study import run_study


@pytest.fixture(scope="module")
def runs(toy_set, tmp_path_factory):
    """A generator of all subjects of both stages, without a training."""
    home = tmp_path_factory.mktemp("runs")
    for stage in ("NC", "AD"):
        make_run(home / stage, toy_set, stage)
    return [home / "NC", home / "AD"]


@pytest.fixture
def told(toy_set):
    return make_settings(toy_set, fractions=(100,), seeds=2)


@pytest.fixture
def quick(monkeypatch):
    """Classifiers that guess, each cell the same again; who was asked."""
    asked = []

    def guess(cell, *, settings, material, generators):
        asked.append(cell)
        number = zlib.crc32(str(cell).encode())
        blank = study.nothing_said(material.judged, len(settings.classes))
        ones = np.random.default_rng(number).random(len(blank.truth))
        said = np.stack([1 - ones, ones], axis=1)
        return dataclasses.replace(blank, probabilities=said)

    monkeypatch.setattr(study, "ask", guess)
    return asked


@pytest.fixture(scope="module")
def whole(toy_set, tmp_path_factory):
    """A study that trained its own generators, at two fractions."""
    out = tmp_path_factory.mktemp("study") / "out"
    return out, run_study(make_settings(toy_set), out)


def results(out):
    with (out / "results.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_arm_and_fraction_has_its_row(whole):
    out, summary = whole
    rows = results(out)
    assert len(rows) == 2 * 4
    assert {row["study"] for row in rows} == {"complete"}
    assert {row["phantom"] for row in rows} == {"true"}
    assert summary["complete"] is True
    told = {row["arm"]: row for row in rows if row["fraction"] == "34"}
    counts = {
        arm: (
            row["training_subjects"],
            row["real_images"],
            row["judged_subjects"],
        )
        for arm, row in told.items()
    }
    assert counts["real"] == counts["real+synthetic"] == ("2", "8", "4")
    assert counts["synthetic"] == ("2", "0", "4")
    assert told["synthetic"]["synthetic_images"] == "24"
    assert told["real"]["synthetic_images"] == "0"


def test_what_real_images_separate_trivially_is_separated(whole):
    out, _ = whole
    whole_real = {"arm": "real", "fraction": "100"}
    rows = [row for row in results(out) if whole_real.items() <= row.items()]
    assert rows
    for row in rows:
        assert float(row["accuracy"]) == float(row["auc"]) == 1.0


def test_generators_saw_the_subjects_of_their_fraction(whole):
    out, summary = whole
    counts = {
        path.parent.name: len(path.read_text().splitlines()) - 1
        for path in out.glob("generators/*/subjects.csv")
    }
    assert counts == {
        "nc_axial_34": 1,
        "ad_axial_34": 1,
        "nc_axial_100": 3,
        "ad_axial_100": 3,
    }
    assert [g["subjects"] for g in summary["generators"]] == [1, 1, 3, 3]


def test_what_is_shown_names_nobody_and_no_place(whole):
    out, _ = whole
    for name in ("study.json", "results.csv"):
        text = (out / name).read_text()
        assert not re.search(r"999_S_|/home|/tmp|" + str(out.parent), text)
    summary = json.loads((out / "study.json").read_text())
    assert summary["words"][0].startswith("Phantom")
    assert summary["judged"] == {"NC": 2, "AD": 2}
    assert summary["arms"][0]["reason"].startswith("an interval needs 8")
    assert (out / "study.png").stat().st_size > 10_000


def test_a_stopped_study_is_marked_and_goes_on(
    told, runs, tmp_path, monkeypatch, quick
):
    guess = study.ask

    def stop_at_fourth(cell, **others):
        if len(quick) == 3:
            raise KeyboardInterrupt
        return guess(cell, **others)

    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(study, "ask", stop_at_fourth)
        with pytest.raises(KeyboardInterrupt):
            run_study(told, out, runs=runs)
    assert [row["study"] for row in results(out)] == ["partial"] * 3
    partial = json.loads((out / "study.json").read_text())
    found = {name: partial[name] for name in ("complete", "done", "of")}
    assert found == {"complete": False, "done": 3, "of": 8}
    assert any(line.startswith("Partial") for line in partial["words"])
    assert (out / "study.png").is_file()
    with pytest.raises(FileExistsError, match="--resume"):
        run_study(told, out, runs=runs)

    run_study(told, out, runs=runs, resume=True)
    assert len(quick) == len(set(quick)) == 8
    straight = tmp_path / "straight"
    run_study(told, straight, runs=runs)
    for name in ("results.csv", "study.json", "study.png"):
        after = (out / name).read_bytes()
        assert after == (straight / name).read_bytes()


def test_given_runs_are_used_and_nothing_is_trained(
    told, runs, tmp_path, monkeypatch, quick
):
    monkeypatch.setattr(study, "trained_here", None)  # calling it would fail
    summary = run_study(told, tmp_path / "out", runs=runs)
    assert [g["trained_by"] for g in summary["generators"]] == ["the user"] * 2
    assert not (tmp_path / "out" / "generators").exists()


def test_a_control_is_called_so(toy_set, runs, tmp_path, quick):
    settings = make_settings(toy_set, fractions=(100,), shuffle_labels=True)
    summary = run_study(settings, tmp_path / "out", runs=runs)
    assert any(line.startswith("Control") for line in summary["words"])


def test_progress_and_lines_before_each_generator(
    toy_set, tmp_path, monkeypatch, quick
):
    steps, lines = [], []

    @contextlib.contextmanager
    def progress(label):
        yield lambda done, total: steps.append((label, done, total))

    monkeypatch.setattr(study, "trained_here", lambda place, *a, **o: place)
    monkeypatch.setattr(study, "facts", lambda run, place, given: {})
    run_study(
        make_settings(toy_set),
        tmp_path / "out",
        progress=progress,
        status=lines.append,
    )
    assert lines[0] == "generator 1 of 4: NC axial, 34 % of the subjects"
    assert len(lines) == 4
    assert steps[-1] == ("classifiers with synthetic images", 4, 4)
    assert steps[0] == ("classifiers without synthetic images", 0, 4)


def test_nothing_is_left_where_the_study_cannot_begin(toy_set, tmp_path):
    settings = make_settings(toy_set, overrides={"batch_size": 5})
    with pytest.raises(ValueError, match="batch_size=4"):
        run_study(settings, tmp_path / "out")
    assert not (tmp_path / "out").exists()
