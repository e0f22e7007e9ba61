"""ADNI's levels of a phantom, written and read back by this project."""

import csv
import dataclasses
import itertools
import re

import nibabel as nib
import numpy as np
import pytest

from tfds_adni import Selection, prepare, survey
from tfds_adni.phantom.anatomy import build_anatomy
from tfds_adni.phantom.imaging import ADNI_GRID, GREY, Grid
from tfds_adni.phantom.levels import LEVELS, check_levels
from tfds_adni.phantom.render import activity, frames_of, render
from tfds_adni.phantom.scanners import acquire, scanners
from tfds_adni.phantom.scans import COLUMNS, scans_of, write_scan
from tfds_adni.phantom.subjects import make_subject
from tfds_adni.phantom.tables import write_table
from tfds_adni.sources.record import level_of

GRID = Grid((60, 60, 36), 4.0)
SUBJECTS = 3  # of one stage: the fewest that can be split


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("levels") / "cohort"
    scans = [
        scan
        for number in range(SUBJECTS)
        for scan in scans_of(make_subject("NC", number, visits=1), LEVELS)
    ]
    for scan in scans:
        write_scan(scan, out, grid=GRID)
    write_table(out / "collection.csv", COLUMNS, [s.row for s in scans])
    return out


# --- names --------------------------------------------------------------------


def test_the_readers_know_every_level():
    for name, level in LEVELS.items():
        assert level.name == name
        assert level_of(level.description) == name


def test_names_of_files_and_folders():
    subject = make_subject("MCI", 3, visits=1)
    by_level = {scan.level: scan for scan in scans_of(subject, LEVELS)}
    assert list(by_level) == list(LEVELS)
    raw = by_level["raw"]
    assert len(raw.paths) == 6
    assert len({path.parent for path in raw.paths}) == 1
    assert raw.paths[0].parts[2] == "ADNI_Brain_PET__Raw_FDG"
    for number, path in enumerate(raw.paths, start=1):
        assert re.fullmatch(
            rf"ADNI_{subject.ptid}_PT_ADNI_Brain_PET__Raw_FDG_br_raw_\d{{17}}"
            rf"_{number}_S\d+_I{raw.image_id}\.nii",
            path.name,
        )
    averaged = by_level["averaged"].path
    assert averaged.parts[2] == "Co-registered,_Averaged"
    assert "_PT_Co-registered,_Averaged_Br_" in averaged.name
    assert {scan.raw_id for scan in by_level.values()} == {raw.image_id}


def test_image_ids_are_unique_over_levels_and_subjects():
    scans = [
        scan
        for stage, number in itertools.product(("NC", "AD"), (0, 1, 900, 30000))
        for scan in scans_of(make_subject(stage, number, visits=3), LEVELS)
    ]
    assert len({scan.image_id for scan in scans}) == len(scans)
    assert len({path.name for s in scans for path in s.paths}) == sum(
        len(s.paths) for s in scans
    )


def test_the_uniform_level_is_the_default():
    (scan,) = scans_of(make_subject("NC", 0, visits=1))
    assert scan.level == "uniform_8mm"
    assert scan.path.parts[2].endswith("_Uniform_Resolution")


@pytest.mark.parametrize(
    ("levels", "message"),
    [
        ((), "found none"),
        (("uniform_8mm", "best"), "among raw, dynamic, .* found best"),
        (("raw", "raw"), "found raw more than once"),
    ],
)
def test_bad_levels_are_one_line(levels, message):
    with pytest.raises(ValueError, match=message) as caught:
        check_levels(levels)
    assert "\n" not in str(caught.value)
    check_levels(LEVELS)


# --- grids --------------------------------------------------------------------


def test_native_levels_have_the_scanner_s_grid():
    scan = acquire(make_subject("NC", 0))
    for name, level in LEVELS.items():
        wanted = scan.scanner.grid if level.native else ADNI_GRID
        assert level.grid(scan, ADNI_GRID) == wanted, name
    hr_plus = scanners()["Siemens ECAT HR+"].grid
    assert hr_plus == Grid((128, 128, 63), (2.06, 2.06, 2.425))
    np.testing.assert_allclose(hr_plus.axes[2][[0, -1]], [-75.175, 75.175])


def test_a_coarse_phantom_has_coarse_native_grids_of_the_same_view():
    for model in scanners().values():
        scan = dataclasses.replace(
            acquire(make_subject("NC", 0)), scanner=model
        )
        own = LEVELS["raw"].grid(scan, GRID)
        assert (own.steps >= GRID.steps).all()
        view = own.steps * own.shape
        whole = model.grid.steps * model.grid.shape
        assert (abs(view - whole) <= own.steps / 2 + 1e-9).all()


def test_images_say_where_their_voxels_are(folder):
    for number in range(2):
        subject = make_subject("NC", number, visits=1)
        for scan in scans_of(subject, LEVELS):
            level = LEVELS[scan.level]
            grid = level.grid(acquire(subject), GRID)
            image = nib.load(folder / scan.path)
            frames = () if level.moved else (level.frames,)
            assert image.shape == (*grid.shape, *frames)
            np.testing.assert_allclose(
                image.header.get_zooms()[:3], grid.steps, rtol=1e-5
            )
            assert nib.aff2axcodes(image.affine) == ("L", "A", "S")
            middle = (np.array(grid.shape) - 1) / 2
            centre = image.affine @ [*middle, 1]
            np.testing.assert_allclose(centre[:3], 0, atol=1e-3)


# --- images -------------------------------------------------------------------


@pytest.fixture(scope="module")
def head():
    return build_anatomy(4.0)


@pytest.mark.parametrize("level", LEVELS)
def test_right_stays_right(level, head, tmp_path):
    subject = make_subject("NC", 0, visits=1)
    healthy = subject.healthy.copy()
    healthy[1] *= 0.4  # the right side
    subject = dataclasses.replace(subject, healthy=healthy)
    (scan,) = scans_of(subject, (level,))
    write_scan(scan, tmp_path, grid=GRID)
    image = nib.as_closest_canonical(nib.load(tmp_path / scan.path))
    data = image.get_fdata().reshape(*image.shape[:3], -1)[..., 0]
    x = image.affine[0, 0] * np.arange(len(data)) + image.affine[0, 3]
    x -= acquire(subject).frames[0].shift[0] if LEVELS[level].native else 0
    assert data[x > 0].sum() < 0.8 * data[x < 0].sum()


def test_processed_levels_have_a_brain_mean_of_about_one(head):
    for name in ("standardised", "uniform_8mm"):
        means = []
        for number in range(4):
            (volume,) = frames_of(
                make_subject("NC", number), head, level=name, grid=GRID
            )
            means.append(volume[volume > 0.35].mean())
        assert 0.9 < np.mean(means) < 1.15
    (raw, *_) = frames_of(make_subject("NC", 0), head, level="raw", grid=GRID)
    assert raw[raw > 0.3 * raw.max()].mean() > 3000


def test_render_is_the_uniform_level(head):
    subject = make_subject("AD", 1)
    (volume,) = frames_of(subject, head, grid=GRID)
    np.testing.assert_array_equal(render(subject, head, grid=GRID), volume)
    assert volume.dtype == np.float32
    assert volume.shape == GRID.shape
    assert volume.min() >= 0


def test_six_frames_move_and_registered_ones_do_not():
    subject = next(
        s
        for s in (make_subject("NC", n) for n in range(200))
        if acquire(s).motion_mm == 7
    )
    scan = acquire(subject)
    poses = {
        name: [LEVELS[name].pose(scan, frame) for frame in range(6)]
        for name in ("raw", "dynamic")
    }
    moved = [
        np.linalg.norm(p.shift - scan.frames[0].shift) for p in poses["raw"]
    ]
    assert moved[0] == 0
    assert max(moved) > 2
    assert {id(p) for p in poses["dynamic"]} == {id(scan.frames[0])}


def test_noise_of_a_level_and_frame_is_its_own(head):
    subject = make_subject("NC", 0)
    found = {
        name: list(frames_of(subject, head, level=name, grid=GRID))
        for name in ("dynamic", "averaged")
    }
    assert len(found["dynamic"]) == 6
    first, second = found["dynamic"][:2]
    inside = first > 0.5 * first.max()
    mean = np.mean(found["dynamic"], axis=0)
    # its variance is CV^2 * grey * counts
    per_count = np.var(found["dynamic"], axis=0, ddof=1)[inside] / mean[inside]
    scan = acquire(subject)
    cv = np.sqrt(per_count.mean() / (GREY * 30_000 * scan.dose))
    assert cv == pytest.approx(LEVELS["dynamic"].noise_cv(scan), rel=0.08)
    assert not np.array_equal(first, second)
    (averaged,) = found["averaged"]
    assert np.corrcoef(averaged[inside], mean[inside])[0, 1] > 0.7


def test_a_person_s_own_field_is_the_same_at_all_visits(head):
    subject = make_subject("NC", 0, visits=2)
    still = dataclasses.replace(
        subject,
        years=(0, 0),
        difficulty=dataclasses.replace(subject.difficulty, field_sd=0.02),
    )
    first, second = (activity(still, head, visit=v) for v in (0, 1))
    np.testing.assert_array_equal(first, second)
    none = dataclasses.replace(still.difficulty, field_sd=0.0)
    plain = activity(dataclasses.replace(still, difficulty=none), head)
    brain = plain > 0.6
    change = first[brain] / plain[brain] - 1
    assert 0.01 < change.std() < 0.03


# --- read back ----------------------------------------------------------------


def test_rows_say_what_each_image_is(folder):
    with (folder / "collection.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == SUBJECTS * len(LEVELS)
    for row in rows:
        original = row["Description"] == "ADNI Brain PET: Raw FDG"
        assert row["Type"] == ("Original" if original else "Post-processed")


def test_scan_prefers_the_uniform_level(folder):
    cohort = survey(folder)
    assert {d.level for d in cohort.used} == {"uniform_8mm"}
    assert len(cohort.used) == SUBJECTS
    assert len(cohort.decisions) == SUBJECTS * len(LEVELS)


@pytest.mark.parametrize("level", LEVELS)
def test_scan_and_prepare_read_every_level(folder, tmp_path, level):
    selection = Selection(levels=[level])
    cohort = survey(folder, selection)
    assert len(cohort.used) == SUBJECTS
    for decision in cohort.used:
        files = 6 if level == "raw" else 1
        assert len(decision.record.images) == files
    if level in ("raw", "averaged", "uniform_8mm"):
        place = prepare(
            folder, tmp_path, config="axial_64", selection=selection, jobs=1
        )
        assert place


def test_a_seed_repeats_every_level(folder, tmp_path):
    subject = make_subject("NC", 1, visits=1)
    for scan in scans_of(subject, LEVELS):
        write_scan(scan, tmp_path, grid=GRID)
        for path in scan.paths:
            found = (tmp_path / path).read_bytes()
            assert found == (folder / path).read_bytes()
