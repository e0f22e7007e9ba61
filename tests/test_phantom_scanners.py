"""Scanners, and what they make of a head: blur, noise and gain by hand."""

from collections import Counter

import numpy as np
import pytest

from tfds_adni.phantom.imaging import (
    CENTRE,
    GAIN_MM,
    GREY,
    Grid,
    Pose,
    add_noise,
    gain,
    polynomial,
    rotation,
    scanned,
)
from tfds_adni.phantom.levels import LEVELS
from tfds_adni.phantom.maps import LOW, box_axes
from tfds_adni.phantom.parameters import read_rows
from tfds_adni.phantom.scanners import (
    acquire,
    scanner_of,
    scanners,
    site_of,
    sites,
)
from tfds_adni.phantom.scans import scans_of
from tfds_adni.phantom.subjects import STAGES, make_subject

STRAIGHT = Pose(np.eye(3), np.zeros(3))


def test_fifteen_models_at_fifty_sites():
    assert len(scanners()) == 15
    assert len(sites()) == 50
    counts = Counter(scanner.name for scanner in sites())
    for row in read_rows("scanners.csv"):
        assert 2 * counts[row["name"]] == float(row["share_pct"])
    numbers = [int(row["number"]) for row in read_rows("sites.csv")]
    assert numbers == list(range(1, 51))


def test_adni_s_kernel_brings_every_model_to_about_8_mm():
    for scanner in scanners().values():
        reached = np.hypot(scanner.resolution, scanner.kernel)
        assert (abs(reached - 8) < 0.9).all()
        assert scanner.grid.steps[2] * scanner.grid.shape[2] > 145


def test_every_number_of_a_scanner_says_whether_it_is_published():
    for row in read_rows("scanners.csv"):
        marks = [row[name] for name in row if name.endswith("_source")]
        assert len(marks) == 3
        assert set(marks) <= {"published", "derived", "ours"}


def person(stage="NC", number=0, **options):
    return make_subject(stage, number, visits=3, **options)


def test_a_subject_keeps_the_scanner_and_scans_differ():
    for number in range(10):
        subject = person(number=number)
        first, second = (acquire(subject, visit) for visit in (0, 1))
        assert first.scanner == second.scanner == sites()[site_of(subject) - 1]
        assert first.resolution != second.resolution
        assert first.noise_cv != second.noise_cv
        again = acquire(subject, 1)
        np.testing.assert_array_equal(second.gain, again.gain)
        np.testing.assert_array_equal(second.pose.turn, again.pose.turn)
    assert len({scanner_of(person(number=n)).name for n in range(60)}) > 8


def test_without_the_disease_the_scan_is_the_same():
    subject = person("AD", 4)
    ill, well = acquire(subject, 1), acquire(subject.without_disease(), 1)
    assert (ill.scanner, ill.resolution) == (well.scanner, well.resolution)
    assert ill.motion_mm == well.motion_mm
    np.testing.assert_array_equal(ill.pose.shift, well.pose.shift)


def beside_the_brain(subject):
    """All that a scan and its rows say beside age and brain."""
    one, scan = acquire(subject), scans_of(subject)[0]
    poses = [each for frame in one.frames for each in (frame.turn, frame.shift)]
    numbers = (
        *(one.scanner.number, site_of(subject), subject.sex == "F"),
        *(len(subject.years), scan.time.toordinal(), scan.time.hour),
        *(one.dose, one.scale, one.noise_cv, one.motion_mm),
    )
    arrays = (one.resolution, one.gain, one.pose.turn, one.pose.shift)
    arrays = (*arrays, *poses, subject.scale)
    return np.concatenate([numbers, *map(np.ravel, arrays)]).astype(float)


def test_nothing_beside_the_brain_tells_the_stage():
    count = 150
    groups = np.array(
        [
            [beside_the_brain(make_subject(s, n, seed=9)) for n in range(count)]
            for s in STAGES
        ]
    )
    groups -= groups.mean(axis=(0, 1))
    groups = groups[..., groups.std(axis=(0, 1)) > 1e-9]
    for values in (groups, groups**2):
        errors = np.sqrt(2 * values.var(axis=1).mean(axis=0) / count)
        means = values.mean(axis=1)
        apart = np.abs(means - np.roll(means, 1, axis=0)) / errors
        assert apart.max() < 4.5


def test_the_easy_phantom_has_one_scanner_of_8_mm():
    found = [acquire(person(number=n, difficulty="easy")) for n in range(40)]
    assert {each.scanner.number for each in found} == {0}
    uniform = LEVELS["uniform_8mm"]
    for each in found:
        np.testing.assert_allclose(uniform.resolution(each), 8)
    noise = [uniform.noise_cv(each) for each in found]
    assert 0.023 < np.mean(noise) < 0.032
    assert 0.004 < np.std(noise) < 0.012


def test_noise_by_level_as_worked_out_by_hand():
    subject = next(
        s
        for s in (person(number=n) for n in range(100))
        if scanner_of(s).name == "Siemens Biograph HiRez 1080"
    )
    scan = acquire(subject)
    factor = scan.noise_cv / 0.069
    # 5.9 mm and ADNI's 5.5 mm: 6.9 % * (5.9 / 8.066)^3
    for name, cv in (
        ("averaged", 0.069),
        ("raw", 0.169),
        ("dynamic", 0.169),
        ("standardised", 0.069),
        ("uniform_8mm", 0.0270),
    ):
        assert LEVELS[name].noise_cv(scan) == pytest.approx(
            factor * cv, rel=0.005
        )
    np.testing.assert_allclose(
        LEVELS["uniform_8mm"].colour(scan), 8.066, rtol=1e-3
    )


def test_the_vertex_is_inside_every_view():
    top = (0.0, -20.0, 81.0)
    for number in range(60):
        subject = person(number=number)
        scan = acquire(subject)
        away = subject.scale * (np.array(top) - CENTRE)
        views = [(scan.pose, 72.0)]
        own = scan.scanner.grid
        views.append((scan.frames[0], own.steps[2] * own.shape[2] / 2))
        for pose, half in views:
            assert (pose.turn.T @ away + pose.shift)[2] < half


# --- the image of a head ------------------------------------------------------


def point():
    """A head of one voxel, whose centre comes to that of an odd grid."""
    head = np.zeros([len(axis) for axis in box_axes(1.5)], np.float32)
    index = (64, 71, 61)
    head[index] = 1
    place = LOW + 1.5 * np.array(index)
    return head, Pose(np.eye(3), CENTRE - place)


def variances(volume, grid):
    total = volume.sum(dtype=float)
    each = []
    for axis, positions in enumerate(grid.axes):
        others = tuple(n for n in range(3) if n != axis)
        share = volume.sum(axis=others, dtype=float) / total
        middle = share @ positions
        assert middle == pytest.approx(0, abs=1e-3)
        each.append(share @ (positions - middle) ** 2)
    return np.array(each)


@pytest.mark.parametrize(
    "grid", [Grid((65, 65, 65), 1.5), Grid((49, 49, 31), (2.06, 2.06, 3.27))]
)
def test_resolution_of_a_point(grid):
    head, pose = point()
    fwhm = np.array([7.0, 7.0, 8.0])
    seen = scanned(head, 1.5, scale=np.ones(3), pose=pose, fwhm=fwhm, grid=grid)
    assert seen.shape == grid.shape
    wanted = (fwhm**2 - 3.5**2) / (8 * np.log(2))
    np.testing.assert_allclose(variances(seen, grid), wanted, rtol=0.02)
    content = seen.sum(dtype=float) * np.prod(grid.steps)
    assert content == pytest.approx(1.5**3, rel=0.01)


def test_the_neck_goes_on_below_the_box():
    shape = [len(axis) for axis in box_axes(3.0)]
    head = np.zeros(shape, np.float32)
    head[20:40, 20:40] = 0.5
    pose = Pose(np.eye(3), np.zeros(3))
    grid = Grid((64, 64, 90), 3.0)  # its lowest plane is 43 mm below
    seen = scanned(
        head, 3.0, scale=np.ones(3), pose=pose, fwhm=(6, 6, 6), grid=grid
    )
    assert seen.max() == pytest.approx(0.5, rel=0.01)
    np.testing.assert_allclose(seen[:, :, 0], seen[:, :, 30], atol=1e-3)


def block(level):
    grid = Grid((48, 48, 48), 2.0)
    return grid, np.full(grid.shape, level, np.float32)


@pytest.mark.parametrize(("level", "cv"), [(GREY, 0.06), (4 * GREY, 0.03)])
def test_noise_has_the_planted_cv_and_grows_with_the_root(level, cv):
    grid, volume = block(level)
    rng = np.random.default_rng(0)
    add_noise(volume, grid, rng, cv=0.06, fwhm=(5.0, 5.0, 5.0))
    inside = volume[6:-6, 6:-6, 6:-6]
    assert inside.std() / level == pytest.approx(cv, rel=0.08)
    assert inside.mean() == pytest.approx(level, rel=0.01)


def test_noise_is_correlated_as_its_kernel_says():
    grid, volume = block(GREY)
    fwhm = np.array([8.0, 8.0, 6.0])
    add_noise(volume, grid, np.random.default_rng(1), cv=0.05, fwhm=fwhm)
    noise = volume - volume.mean()
    for axis, wide in enumerate(fwhm):
        moved = np.roll(noise, 2, axis)
        found = (noise * moved).mean() / noise.var()
        sd = wide / np.sqrt(8 * np.log(2))
        assert found == pytest.approx(np.exp(-(4.0**2) / (4 * sd**2)), abs=0.05)


def test_gain_follows_the_head():
    terms = np.array([0.01, 0, 0, 0, 0.02, 0, 0, 0, 0])  # x and y^2
    grid = Grid((3, 3, 3), GAIN_MM)
    straight = gain(terms, grid, STRAIGHT)
    assert straight[2, 1, 1] == pytest.approx(1.01)
    assert straight[1, 2, 1] == pytest.approx(1.02)
    assert straight[0, 0, 1] == pytest.approx(1.01)
    turned = gain(terms, grid, Pose(rotation((0, 0, np.pi / 2)), np.zeros(3)))
    # the scanner's y is the head's -x, its x the head's y
    assert turned[1, 2, 1] == pytest.approx(0.99)
    assert turned[2, 1, 1] == pytest.approx(1.02)
    shifted = gain(terms, grid, Pose(np.eye(3), np.array([GAIN_MM, 0, 0])))
    assert shifted[2, 1, 1] == pytest.approx(1)


def test_gain_equals_its_polynomial():
    terms = np.random.default_rng(3).normal(0, 0.01, 9)
    grid = Grid((4, 5, 6), 20.0)
    pose = Pose(rotation((0.1, -0.2, 0.3)), np.array([3.0, -4.0, 5.0]))
    places = np.stack(np.meshgrid(*grid.axes, indexing="ij")).reshape(3, -1)
    head = pose.turn @ (places - pose.shift[:, None]) / GAIN_MM
    np.testing.assert_allclose(
        gain(terms, grid, pose).ravel(), 1 + terms @ polynomial(head), rtol=1e-5
    )


def test_models_differ_by_a_gain_of_one_to_two_per_cent():
    ball = np.random.default_rng(0).normal(size=(3, 2000))
    ball *= np.random.default_rng(1).random(2000) ** (1 / 3) / np.linalg.norm(
        ball, axis=0
    )
    brain = polynomial(0.92 * np.array([[69], [88], [76]]) / GAIN_MM * ball)
    by_model = {}
    for number in range(80):
        scan = acquire(person(number=number))
        spread = (scan.gain @ brain).std()
        assert 0.005 < spread < 0.03
        by_model.setdefault(scan.scanner.name, []).append(scan.gain @ brain)
    within = np.mean(
        [np.std(each, axis=0).mean() for each in by_model.values()]
    )
    between = np.std([np.mean(each, axis=0) for each in by_model.values()], 0)
    assert within < between.mean()
