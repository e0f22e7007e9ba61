import contextlib
import csv
import dataclasses
import json
import re
import zlib

import matplotlib.image
import numpy as np
import pytest
from study_toy import make_settings, prepare_leaky, untrained_run
from toy_run import make_run

from pet_dcgan.data.leakage import DataLeakageError
from pet_dcgan.runs.run import Run
from pet_dcgan.study import folder, generators, study
from pet_dcgan.study.classifiers import train_and_predict
from pet_dcgan.study.data import load_study_data
from pet_dcgan.study.figure import save_figure
from pet_dcgan.study.generator_specs import generator_specs
from pet_dcgan.study.scores import Predictions
from pet_dcgan.study.settings import Cell
from pet_dcgan.study.study import run_study

CLASSES = ("NC", "AD")
SETTINGS = {"data_dir": "/old", "seeds": 5}


@pytest.fixture(scope="module")
def runs(toy_set, tmp_path_factory):
    """A run of all subjects of each stage, which has no generator in truth."""
    home = tmp_path_factory.mktemp("runs")
    return [untrained_run(home / s, toy_set, s).path for s in CLASSES]


@pytest.fixture
def settings(toy_set):
    return make_settings(toy_set, fractions=(100,), splits=2)


@pytest.fixture
def untrained(toy_set, monkeypatch):
    """Generators that the study would train are empty files."""

    def train(config, path, *, subjects, validation, **_):
        return untrained_run(
            path,
            toy_set,
            config.stage,
            subjects=subjects,
            validation=validation or (),
        )

    monkeypatch.setattr(generators, "train", train)


@pytest.fixture
def quick(monkeypatch):
    """Classifiers that guess, each cell the same again; which were trained."""
    trained = []

    def guess(cell, *, data, generators):
        trained.append(cell)
        subjects, truth = data.test_subjects(cell.split)
        rng = np.random.default_rng(zlib.crc32(str(cell).encode()))
        ones = rng.random(len(truth))
        return Predictions(subjects, truth, np.stack([1 - ones, ones], axis=1))

    def save_figure(path, summary):
        path.write_text(repr(summary))

    monkeypatch.setattr(study, "train_and_predict", guess)
    monkeypatch.setattr(study, "save_figure", save_figure)
    monkeypatch.setattr(study, "save_calibration", save_figure)
    contrast = {"words": "The contrast."}
    monkeypatch.setattr(
        study, "study_contrast", lambda *_, **__: (contrast, None)
    )
    asymmetry = {"words": "The asymmetry."}
    monkeypatch.setattr(study, "study_asymmetry", lambda *_, **__: asymmetry)
    return trained


@pytest.fixture(scope="module")
def whole(toy_set, tmp_path_factory):
    """A study of a third of the subjects, with generators that exist."""
    home = tmp_path_factory.mktemp("study")
    settings = make_settings(toy_set, fractions=(34,))
    data = load_study_data(settings)
    runs = {
        spec: make_run(
            home / spec.stage,
            toy_set,
            spec.stage,
            subjects=data.subjects(spec, spec.stage),
        )
        for spec in generator_specs(settings)
    }
    out, paths = home / "out", [run.path for run in runs.values()]
    return out, run_study(settings, out, runs=paths), data, runs


def results(out):
    with (out / "results.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_arm_and_fraction_has_its_row(whole):
    out, summary, *_ = whole
    rows = results(out)
    assert len(rows) == 4
    assert {row["study"] for row in rows} == {"complete"}
    assert {row["phantom"] for row in rows} == {"true"}
    assert summary["complete"] is True
    columns = ("training_subjects", "real_images", "synthetic_images")
    counts = {row["arm"]: tuple(row[name] for name in columns) for row in rows}
    assert counts["real"] == counts["real+augmentation"] == ("2", "8", "0")
    assert counts["real+synthetic"] == ("2", "8", "24")
    assert counts["synthetic"] == ("2", "0", "24")
    assert {row["test_subjects"] for row in rows} == {"4"}
    # the stages of the toy set differ in brightness
    (real,) = (row for row in rows if row["arm"] == "real")
    assert real["accuracy"] == real["auc"] == "1.0"


@pytest.mark.slow
@pytest.mark.parametrize("splits", [1, 3])
def test_generators_are_trained_on_the_subjects_of_their_fraction(
    toy_set, tmp_path, splits
):
    settings = make_settings(toy_set, fractions=(34,), splits=splits)
    summary = run_study(settings, tmp_path)
    data = load_study_data(settings)
    for spec in generator_specs(settings):
        run = Run.open(tmp_path / spec.folder)
        assert set(run.subjects) == data.subjects(spec, spec.stage)
        if splits > 1:
            held_out = data.validation(spec.split, spec.stage)
            assert set(run.validation) == held_out
    kinds = [(g["trained_by"], g["subjects"]) for g in summary["generators"]]
    assert kinds == [("the study", 1)] * 2 * splits
    assert {g["chosen_by"] for g in summary["generators"]} == {"last epoch"}
    assert summary["generator_kid"]["measured"] == 2 * splits
    assert summary["complete"] is True


def test_the_same_cell_predicts_the_same_bits(whole):
    out, _, data, runs = whole
    again = train_and_predict(
        Cell(0, 0, 34, "real+synthetic"), data=data, generators=runs
    )
    file = out / "split_0/predictions/034_real+synthetic_0.csv"
    before = folder.read_predictions(file, CLASSES, data.test_subjects(0))
    np.testing.assert_array_equal(again.probabilities, before.probabilities)
    np.testing.assert_allclose(again.probabilities.sum(axis=1), 1)


def test_results_name_no_subject_and_no_path(whole):
    out, *_ = whole
    for name in ("study.json", "results.csv"):
        text = (out / name).read_text()
        assert not re.search(r"999_S_|/home|/tmp|" + str(out.parent), text)
    summary = json.loads((out / "study.json").read_text())
    assert summary["words"][0].startswith("Phantom")
    assert summary["tested"] == {"NC": 2, "AD": 2}
    assert summary["arms"][0]["reason"].startswith("an interval needs 8")


def test_the_same_summary_gives_the_same_figure(whole, tmp_path):
    out, summary, *_ = whole
    assert matplotlib.image.imread(out / "study.png").shape[:2] == (700, 1100)
    save_figure(tmp_path / "again.png", summary)
    again = (tmp_path / "again.png").read_bytes()
    assert again == (out / "study.png").read_bytes()


def test_a_stopped_study_is_marked_partial_and_resumed(
    settings, untrained, tmp_path, monkeypatch, quick
):
    guess = study.train_and_predict

    def stop_at_sixth(cell, **others):
        if len(quick) == 5:
            raise KeyboardInterrupt
        return guess(cell, **others)

    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(study, "train_and_predict", stop_at_sixth)
        with pytest.raises(KeyboardInterrupt):
            run_study(settings, out)
    assert [row["study"] for row in results(out)] == ["partial"] * 5
    assert [row["split"] for row in results(out)] == ["0"] * 4 + ["1"]
    partial = json.loads((out / "study.json").read_text())
    found = {name: partial[name] for name in ("complete", "done", "of")}
    assert found == {"complete": False, "done": 5, "of": 8}
    assert any(line.startswith("Partial") for line in partial["words"])
    assert partial["contrast"] is None
    assert partial["asymmetry"] is None
    assert (out / "study.png").is_file()
    with pytest.raises(FileExistsError, match="--resume"):
        run_study(settings, out)

    assert run_study(settings, out, resume=True)["words"][-2:] == [
        "The contrast.",
        "The asymmetry.",
    ]
    assert len(quick) == len(set(quick)) == 8
    straight = tmp_path / "straight"
    run_study(settings, straight)
    names = "results.csv", "study.json", "study.png", "splits.csv"
    for name in names:
        after = (out / name).read_bytes()
        assert after == (straight / name).read_bytes()


def test_a_study_whose_set_has_other_subjects_now_is_not_resumed(
    settings, untrained, tmp_path, quick
):
    run_study(settings, tmp_path)
    file = tmp_path / "splits.csv"
    rows = file.read_text().splitlines()
    assert rows[0] == "subject,stages,site,fold,split_0,split_1"
    assert len(rows) == 1 + 18
    file.write_text("\n".join([*rows[:-1], ""]))
    with pytest.raises(ValueError, match="prepared again"):
        run_study(settings, tmp_path, resume=True)


def test_given_runs_are_used_and_a_control_is_named(
    toy_set, runs, tmp_path, monkeypatch, quick
):
    monkeypatch.setattr(study, "train_generator", None)  # calling it would fail
    settings = make_settings(toy_set, fractions=(100,), shuffle_labels=True)
    summary = run_study(settings, tmp_path / "out", runs=runs)
    assert [g["trained_by"] for g in summary["generators"]] == ["the user"] * 2
    assert not (tmp_path / "out" / "generators").exists()
    assert any(line.startswith("Control") for line in summary["words"])


def test_progress_and_lines_before_each_generator(
    toy_set, tmp_path, monkeypatch, quick
):
    steps, lines = [], []

    @contextlib.contextmanager
    def progress(label):
        yield lambda done, total: steps.append((label, done, total))

    monkeypatch.setattr(study, "train_generator", lambda spec, *a, **o: spec)
    facts = {"val_kid": None}
    monkeypatch.setattr(study, "describe", lambda run, spec, given: facts)
    run_study(
        make_settings(toy_set, seeds=2),
        tmp_path / "out",
        progress=progress,
        status=lines.append,
    )
    first = "split 1 of 1, repetition 1 of 2: "
    assert lines[0].startswith("8 generators and 16 classifiers in 1 split,")
    name = "generator 1 of 4: NC axial, 34 % of the subjects"
    assert lines[1] == first + name
    assert lines[-1] == "contrast of the stages, real and synthetic"
    assert len(lines) == 1 + 8 + 1
    assert steps[0] == (f"{first}real images", 0, 4)
    last = "split 1 of 1, repetition 2 of 2: "
    assert steps[-1] == (f"{last}synthetic images", 4, 4)


def test_nothing_is_left_where_the_study_cannot_begin(toy_set, tmp_path):
    settings = make_settings(toy_set, overrides={"batch_size": 5})
    with pytest.raises(ValueError, match="batch_size=4"):
        run_study(settings, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_set_whose_splits_share_a_subject_is_refused(tmp_path):
    leaky = prepare_leaky(tmp_path / "data")
    out = tmp_path / "study"
    # the command line reports a ValueError in one line
    assert issubclass(DataLeakageError, ValueError)
    with pytest.raises(DataLeakageError, match=r"3: 999_S_1002, 999_S_2002"):
        run_study(make_settings(leaky), out)
    assert not out.exists()


@pytest.fixture
def predictions(tmp_path):
    """A file of predictions, and what was written."""
    ones = np.random.default_rng(0).random(3)
    written = Predictions(
        np.array(["999_S_1", "999_S_2", "999_S_3"]),
        np.array([0, 1, 0]),
        np.stack([1 - ones, ones], axis=1),
    )
    folder.write_predictions(tmp_path / "a.csv", CLASSES, written)
    return tmp_path / "a.csv", written


def test_predictions_are_read_back_bit_for_bit(predictions):
    file, written = predictions
    expected = written.subjects, written.truth
    found = folder.read_predictions(file, CLASSES, expected)
    for name, values in dataclasses.asdict(written).items():
        np.testing.assert_array_equal(getattr(found, name), values)
    for others in ((expected[0], 1 - written.truth), (["x"], [0])):
        with pytest.raises(ValueError, match="prepared again"):
            folder.read_predictions(file, CLASSES, others)


@pytest.mark.parametrize(
    "text",
    [
        *("", "nothing\n", "subject,stage,NC\n999_S_1,NC,1\n"),
        *("a,NC,x,1", "a,NC,,1", "a,NC,1", "a,MCI,0,1", "a,NC,0,1,2"),
    ],
)
def test_damaged_predictions_are_refused(tmp_path, text):
    if text[:2] == "a,":
        text = f"subject,stage,NC,AD\n{text}\n"
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(ValueError, match=r"a\.csv, found .*delete it"):
        folder.read_predictions(tmp_path / "a.csv", CLASSES, (["a"], [0]))


def test_only_the_same_study_is_resumed(tmp_path):
    out = tmp_path / "out"
    with pytest.raises(FileNotFoundError, match="leave out --resume"):
        folder.claim(out, SETTINGS, resume=True)
    folder.claim(out, SETTINGS, resume=False)
    folder.claim(out, SETTINGS | {"data_dir": "/moved"}, resume=True)
    with pytest.raises(ValueError, match="seeds 6 instead of 5"):
        folder.claim(out, SETTINGS | {"seeds": 6}, resume=True)
    (out / "settings.json").write_text("[]")
    with pytest.raises(ValueError, match=r"settings\.json"):
        folder.claim(out, SETTINGS, resume=True)
