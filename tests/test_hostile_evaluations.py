"""Evaluations of sets that are tiny, flat or repeated: never a green light."""

import numpy as np
import pytest
import toy_data
from toy_data import STAGES
from toy_run import make_run

from pet_dcgan.evaluation import evaluate as module
from pet_dcgan.evaluation.assessment import assessment_lines
from pet_dcgan.evaluation.evaluate import evaluate

pytestmark = pytest.mark.usefixtures("quick_encoder")


def _alike(key, image):
    """All slices of all subjects of a stage have one image."""
    return toy_data.disc(key.partition("_")[0], 0)


def _black(key, image):
    return image * 0


# subjects of each split, stages of the validation split, what images become
SETS = {
    "one of each kind": ((1, 1, 1), STAGES, None),
    "two, and none to validate": ((2, 1, 2), ("NC",), None),
    "all images alike": ((2, 8, 8), STAGES, _alike),
}


def prepared(folder, counts, validation, change):
    """`data_dir` of a toy set of these subjects and images."""

    class Adni(toy_data.Adni, skip_registration=True):
        pkg_dir_path = None

        def _split_generators(self, dl_manager):
            first = np.cumsum([0, *counts])
            return {
                name: self._examples(name, start, count)
                for name, start, count in zip(
                    toy_data.SUBJECTS, first[:-1], counts, strict=True
                )
            }

        def _examples(self, name, first, count):
            for key, example in toy_data._split(first, count):
                if change:
                    example["image"] = change(key, example["image"])
                if name != "validation" or example["label"] in validation:
                    yield key, example

    return toy_data.prepare(folder, Adni)


@pytest.fixture(autouse=True)
def _no_figures(monkeypatch):
    monkeypatch.setattr(module, "save_figures", lambda *args: {})


def run_of(folder, counts, *rest):
    """A finished run of AD and its prepared set."""
    data = prepared(folder / "data", counts, *rest)
    subjects = [f"999_S_3{i:03}" for i in range(counts[0])]
    return make_run(folder / "run", data, subjects=subjects)


@pytest.mark.parametrize("name", SETS)
def test_no_crash_and_no_green_light(name, tmp_path):
    counts, *rest = SETS[name]
    run = run_of(tmp_path, counts, *rest)
    metrics = evaluate(run, count=32, search=64)
    found = metrics["assessment"]
    assert found["sign"] != "good"
    assert not found["headline"].startswith("No defect found: as far")
    few = counts[2] < 8
    assert ("Not enough evidence" in found["headline"]) == few
    signs = {f["about"]: f["sign"] for f in found["findings"]}
    assert not few or "good" not in signs.values()
    if counts[0] < 2:
        assert metrics["copies"]["verdict"] is None
    text = "\n".join(assessment_lines(metrics))
    page = (run.evaluation / "report.html").read_text()
    stored = (run.evaluation / "metrics.json").read_text()
    for each in (text, page, stored):
        assert "nan" not in each.lower().replace("finan", "")
        assert "Infinity" not in each
    assert run.metrics()["assessment"] == found


def test_black_images_are_refused(tmp_path):
    run = run_of(tmp_path, (2, 1, 2), STAGES, _black)
    with pytest.raises(
        ValueError, match="images that are not all of one value"
    ):
        evaluate(run, count=32, search=64)
