"""The same invented people with and without the disease."""

import re
import shutil

import nibabel as nib
import numpy as np
import pytest
from toy_phantom import contents, rows_of, write

from tfds_adni import survey
from tfds_adni.phantom import scan_pairs
from tfds_adni.phantom.cohort import TABLE
from tfds_adni.phantom.regions import REGIONS
from tfds_adni.phantom.subjects import make_subject

TWINS = ("with_disease", "without_disease")
ILL, WELL = "999_S_9003", "999_S_9001"
PARIETAL, STEM = (0, -58, 36), (0, -28, -36)  # mm, MNI


def seed_of_two():
    """A seed whose first AD is plainly ill and whose first NC is not."""
    for seed in range(99):
        people = (make_subject(stage, 0, seed=seed) for stage in ("AD", "NC"))
        ill, well = (person.disease for person in people)
        if ill.subtype == "typical" and ill.severity > 1 > well.severity == 0:
            return seed
    raise LookupError


OPTIONS = {
    "subjects": {"AD": 1, "NC": 1},
    "seed": seed_of_two(),
    "visits": 2,
    "levels": ("averaged", "uniform_8mm"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("phantom") / "twins"
    return write(out, **OPTIONS, counterfactual=True)


def mean_around(path, place):
    """Mean uptake within 18 mm of a place of the template's head."""
    image = nib.load(path)
    head = np.argwhere(np.ones(image.shape[:3]))
    at = nib.affines.apply_affine(image.affine, head)
    centre = 0.92 * (np.array(place) - (0, -20, 7))
    near = np.linalg.norm(at - centre, axis=1) < 18
    return np.squeeze(image.get_fdata()).ravel()[near].mean()


def test_each_is_a_download_of_its_own(folder):
    ill, well = (contents(folder / name) for name in TWINS)
    assert {path.name for path in folder.iterdir()} == set(TWINS)
    assert ill.keys() == well.keys()
    assert {"truth.csv", TABLE, "tables/ADNIMERGE.csv"} < ill.keys()
    groups = [[r["Group"] for r in rows_of(folder / n / TABLE)] for n in TWINS]
    assert groups == [["CN"] * 4 + ["AD"] * 4, ["CN"] * 8]
    for row in rows_of(folder / "without_disease" / "tables/ADNIMERGE.csv"):
        assert (row["DX"], row["DX_bl"]) == ("CN", "CN")
    for name, stages in zip(TWINS, ({"AD", "NC"}, {"NC"}), strict=True):
        cohort = survey(folder / name)
        assert set(cohort.stage_of_subject.values()) == stages


def test_with_disease_is_the_cohort_without_twins(folder, tmp_path):
    alone = write(tmp_path / "alone", **OPTIONS)
    assert contents(alone) == contents(folder / "with_disease")


def test_a_pair_differs_by_the_disease_alone(folder):
    truth = {
        name: {
            row["image"]: row for row in rows_of(folder / name / "truth.csv")
        }
        for name in TWINS
    }
    pairs = scan_pairs(folder)
    assert len(pairs) == len(truth["with_disease"]) == 8
    stages = set()
    for ill, well in pairs:
        assert ill.name == well.name
        row, twin = (truth[name][ill.parent.name] for name in TWINS)
        same = ill.read_bytes() == well.read_bytes()
        assert same == (float(row["severity"]) == 0)
        assert float(twin["severity"]) == 0
        stages.add((row["stage"], twin["stage"], same))
    assert stages == {("AD", "NC", False), ("NC", "NC", True)}


def test_uptake_is_lower_where_that_was_planted(folder):
    truth = [rows_of(folder / name / "truth.csv")[-1] for name in TWINS]
    ill, well = (float(t["uptake_left_precuneus"]) for t in truth)
    person = make_subject("AD", 0, seed=OPTIONS["seed"], visits=2)
    remaining = person.disease.remaining(1)
    place = [region.name for region in REGIONS].index("precuneus")
    assert ill / well == pytest.approx(remaining[0, place], abs=1e-3)
    assert ill / well < 0.95
    pairs = [pair for pair in scan_pairs(folder) if ILL in pair[0].name]
    for pair in [pair for pair in pairs if "Uniform" in pair[0].name]:
        ill, well = (mean_around(path, PARIETAL) for path in pair)
        stem = [mean_around(path, STEM) for path in pair]
        assert ill / stem[0] < 0.97 * well / stem[1]
        assert stem[0] > stem[1]  # each over its brain's mean
    for pair in [pair for pair in pairs if "Uniform" not in pair[0].name]:
        ill, well = (nib.load(path).get_fdata().mean() for path in pair)
        assert 0.8 * well < ill < 0.98 * well  # in Bq/ml


def test_both_at_once_are_refused_in_one_line(folder, tmp_path):
    for whole in (folder, folder.parent):
        with pytest.raises(ValueError, match="expected one cohort") as caught:
            survey(whole)
        message = str(caught.value)
        assert "\n" not in message
        for name in TWINS:
            assert str(folder / name) in message


def test_two_cohorts_of_other_people_are_not_twins(folder, tmp_path):
    """Somebody may have sorted patients into folders of these names."""
    for name, person in zip(TWINS, (ILL, WELL), strict=True):
        place = tmp_path / name / "ADNI" / person
        shutil.copytree(folder / name / "ADNI" / person, place)
    shutil.copy(folder / "with_disease" / TABLE, tmp_path)
    assert len(survey(tmp_path).used) == 2


def test_pairs_of_what_has_none(folder, tmp_path):
    for out in (tmp_path / "my scans", folder / "with_disease"):
        with pytest.raises(FileNotFoundError, match="with twins") as caught:
            scan_pairs(out)
        assert re.search(r"phantom '?/.*'? --counterfactual", str(caught.value))


@pytest.mark.slow
def test_same_bytes_whatever_the_jobs(folder, tmp_path):
    again = write(tmp_path / "a", **OPTIONS, counterfactual=True, jobs=2)
    assert contents(again) == contents(folder)
