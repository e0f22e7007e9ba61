"""What was planted, beside a phantom, and that nothing reads it."""

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest
from toy_phantom import contents, rows_of, write

from tfds_adni import prepare, survey
from tfds_adni.phantom import Grid
from tfds_adni.phantom.anatomy import build_anatomy
from tfds_adni.phantom.cohort import TABLE
from tfds_adni.phantom.imaging import scanned
from tfds_adni.phantom.levels import LEVELS
from tfds_adni.phantom.regions import REGIONS
from tfds_adni.phantom.render import frames_of
from tfds_adni.phantom.scanners import acquire, scanners, sites
from tfds_adni.phantom.scans import scans_of
from tfds_adni.phantom.subjects import make_subject
from tfds_adni.phantom.truth import FILE, truth_of
from tfds_adni.tables import kind_of

ROOT = Path(__file__).parents[1]
NAMES = [region.name for region in REGIONS]
COARSE = Grid((80, 80, 48), 3.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("phantom") / "cohort"
    counts = {"AD": 3}  # as few as can be prepared
    return write(out, subjects=counts, grid=COARSE, visits=1, seed=3)


def test_a_row_a_scan_under_the_scan_s_id(folder):
    rows, listed = rows_of(folder / FILE), rows_of(folder / TABLE)
    keys = {"image": "Image Data ID", "subject": "Subject", "visit": "Visit"}
    for row, scan in zip(rows, listed, strict=True):
        for ours, theirs in keys.items():
            assert row[ours] == scan[theirs]
        assert row["stage"].replace("NC", "CN") == scan["Group"]
        assert (row["difficulty"], row["seed"]) == ("realistic", "3")
        assert (row["level"], row["phantom_version"]) == ("uniform_8mm", "2")
        assert row["scanner"] in scanners()
        assert sites()[int(row["site"]) - 1].name == row["scanner"]


def test_values_are_those_that_were_planted():
    people = (make_subject("AD", number, visits=3) for number in range(9))
    subject = next(p for p in people if p.disease.severity > 0)
    first, _, last = map(truth_of, scans_of(subject))
    assert last["years"] == "2"
    uptake = subject.uptake(2)
    for number, region in enumerate(REGIONS):
        name = region.name.replace(" ", "_")
        sides = [last.get(f"uptake_{s}_{name}") for s in ("left", "right")]
        if name in ("pons", "brainstem"):
            assert sides == [None, None]
            both = float(last[f"uptake_{name}"])
            assert both == pytest.approx(uptake[:, number].mean(), abs=1e-4)
        else:
            values = np.array(sides, float)
            np.testing.assert_allclose(values, uptake[:, number], atol=1e-4)
    assert float(last["ventricle_mm"]) == pytest.approx(
        subject.ventricle(2), abs=1e-4
    )
    growth = float(last["severity"]) / float(first["severity"])
    assert growth == pytest.approx(subject.disease.grown(2), abs=0.01)


def test_thinning_is_the_mean_of_the_cerebral_cortex():
    ill = make_subject("AD", 5, visits=1)
    well = ill.without_disease()
    found, without = (
        float(truth_of(scans_of(each)[0])["thinning_mm"])
        for each in (ill, well)
    )
    # regions count by their size, and the cerebellum does not
    lost = ill.disease.thinning_mm
    assert lost > 0.05
    assert found - without == pytest.approx(lost, rel=0.03, abs=2e-4)
    even = dataclasses.replace(well, thinning_mm=np.full(len(REGIONS), 0.2))
    even.thinning_mm[NAMES.index("cerebellar cortex")] = 9
    even.thinning_mm[NAMES.index("thalamus")] = 9
    assert truth_of(scans_of(even)[0])["thinning_mm"] == "0.2000"


def test_how_a_visit_was_scanned():
    subject = make_subject("NC", 1, visits=2)
    row = truth_of(scans_of(subject)[1])
    one = acquire(subject, 1)
    names = ("in_plane_mm", "axial_mm", "noise_cv", "motion_mm")
    values = (*one.resolution, one.noise_cv, one.motion_mm)
    for name, value in zip(names, values, strict=True):
        assert float(row[name]) == pytest.approx(value, abs=1e-4)
    easy = truth_of(scans_of(make_subject("NC", 1, difficulty="easy"))[0])
    assert (easy["scanner"], easy["site"]) == ("one for everybody", "")


def test_subtype_and_amyloid_are_words():
    rows = [
        truth_of(scans_of(make_subject(stage, number, visits=1))[0])
        for stage in ("NC", "MCI", "AD")
        for number in range(20)
    ]
    assert {row["amyloid"] for row in rows} == {"positive", "negative"}
    assert {"none", "typical", "limbic"} <= {row["subtype"] for row in rows}
    for row in rows:
        assert (row["subtype"] == "none") == (float(row["severity"]) == 0)


# --- read by nobody -----------------------------------------------------------


def test_it_is_taken_for_no_table(folder, tmp_path):
    assert kind_of(tuple(rows_of(folder / FILE)[0])) == ""
    cohort = survey(folder)
    assert not any(FILE in note for note in cohort.notes)
    (folder / FILE).rename(tmp_path / FILE)
    try:
        without = survey(folder)
    finally:
        (tmp_path / FILE).rename(folder / FILE)
    assert without.decisions == cohort.decisions
    assert without.notes == cohort.notes


def test_a_prepared_set_is_the_same_without_it(folder, tmp_path):
    sets = []
    for name in ("with", "without"):
        if name == "without":
            (folder / FILE).unlink()
        home = prepare(folder, tmp_path / name, config="axial_64", jobs=1)
        sets.append(contents(home))
    assert sets[0] == sets[1]


def test_no_module_outside_of_the_phantom_names_it():
    for package in ("tfds_adni", "pet_dcgan"):
        for path in (ROOT / package).rglob("*.py"):
            if path.parent.name != "phantom":
                text = path.read_text(encoding="utf-8")
                assert FILE not in text, path
                assert not re.search(r"phantom[. ](import )?truth", text), path


def test_its_page_names_every_column_and_a_scan_that_is_there():
    page = (ROOT / "docs" / "phantom.md").read_text(encoding="utf-8")
    (scan,) = scans_of(make_subject("AD", 0))
    for column in truth_of(scan):
        name = re.sub("(uptake_(left|right)_).*", r"\1...", column)
        assert f"`{name}`" in page, name
    place = f"{scan.subject.ptid}/Coreg,_Avg,_.../{scan.time:%Y-%m-%d}_.../"
    assert f"{place}I{scan.image_id}/" in page


def test_images_of_twins_lose_what_it_says_region_by_region():
    anatomy = build_anatomy(3.0)
    ill = make_subject("AD", 0)
    well = ill.without_disease()
    planted = (1 - ill.uptake() / well.uptake()).ravel()
    images = [
        next(frames_of(s, anatomy, level="averaged", grid=COARSE))
        for s in (ill, well)
    ]
    acquisition, level = acquire(ill, 0), LEVELS["averaged"]
    lost = []
    for region in (anatomy.cortex + anatomy.nuclei).toarray().T:
        place = scanned(  # where folds are in the mean, not this person's
            anatomy.fill(region.astype(np.float32)),
            anatomy.spacing,
            scale=ill.scale,
            pose=level.pose(acquisition, 0),
            fwhm=level.resolution(acquisition),
            grid=level.grid(acquisition, COARSE),
        )
        inside = place > 0.5 * place.max()
        kept, whole = (
            np.average(image, weights=inside * place) for image in images
        )
        lost.append(1 - kept / whole)
    assert np.corrcoef(planted, lost)[0, 1] > 0.9
    lost, most = np.array(lost), planted > 0.15
    assert 0.7 < lost[most].mean() / planted[most].mean() < 1.1
    assert abs(lost[planted < 0.02].mean()) < 0.06
