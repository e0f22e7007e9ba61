"""Place and scale of a brain, whatever noise, hot spots and bodies do.

Each test asks for 2 % and 1 mm of the clean scan's, or for a refusal.
"""

import numpy as np
import pytest
from scipy import ndimage

from tfds_adni.phantom.anatomy import build_anatomy
from tfds_adni.phantom.imaging import Grid
from tfds_adni.phantom.render import render
from tfds_adni.phantom.subjects import make_subject
from tfds_adni.volumes.brain import find_brain
from tfds_adni.volumes.volume import Volume, VolumeError

MM = 3.0
# of a body that cannot be told from the brain, and of a part of a brain
REASONS = ("the brain does not end", "part of a brain", "no brain found")
STAGES = ("NC", "MCI", "AD")


@pytest.fixture(scope="module")
def heads():
    """A head of each stage, 240 x 240 x 168 mm in voxels of 3 mm."""
    anatomy = build_anatomy(MM)
    grid = Grid(shape=(80, 80, 56), spacing=MM)
    return {
        stage: render(make_subject(stage, number), anatomy, grid=grid)
        for number, stage in enumerate(STAGES)
    }


@pytest.fixture(scope="module")
def head(heads):
    """The head of AD, whose brain is the hardest to find, and its brain."""
    return heads["AD"], find(heads["AD"])


def find(data, spacing=(MM,) * 3):
    return find_brain(Volume(np.asarray(data, np.float32), spacing))


def require_near(
    brain, clean, *, offset_mm=(0, 0, 0), spacing=(MM,) * 3, times=1
):
    """2 % and 1 mm; `offset_mm` is where the clean volume's origin lies."""
    assert abs(brain.mean / clean.mean - 1) < 0.02 * times
    place = np.multiply(brain.centre, spacing) - offset_mm
    assert np.linalg.norm(place - np.multiply(clean.centre, MM)) < 1 * times


def noisy(data, cv, rng):
    """Noise of a CV in the brain that grows with the root of the counts."""
    level = np.percentile(data, 95)
    spread = cv * np.sqrt(np.maximum(data, 0.02 * level) * level)
    return data + rng.normal(size=data.shape) * spread


def merged(data, body, level):
    """A body, in multiples of the brain's mean, around a head."""
    blurred = ndimage.gaussian_filter(body.astype(np.float32), 3.4 / MM)
    free = 1 - np.clip(ndimage.gaussian_filter(data, 0.5) / (0.7 * level), 0, 1)
    return data + free * blurred * level


# --- noise --------------------------------------------------------------------


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("cv", [0.2, 0.7])
@pytest.mark.parametrize("everywhere", [False, True])
def test_noise(heads, stage, cv, everywhere):
    data, clean = heads[stage], find(heads[stage])
    rng = np.random.default_rng(int(100 * cv))
    if everywhere:
        spoilt = data + rng.normal(0, cv * clean.mean, data.shape)
    else:
        spoilt = noisy(data, cv, rng)
    brain = find(spoilt)
    require_near(brain, clean)
    assert brain.noise > 0.7 * cv


@pytest.mark.parametrize("voxel", [(1.5,) * 3, (2.0, 2.0, 4.25)])
@pytest.mark.parametrize("cv", [0.0, 0.5])
def test_other_voxels(heads, voxel, cv):
    clean = find(heads["AD"])
    factors = MM / np.array(voxel)
    shape = np.floor(factors * (np.array(heads["AD"].shape) - 1)).astype(int)
    data = ndimage.affine_transform(
        heads["AD"], 1 / factors, output_shape=tuple(shape + 1), order=1
    )
    brain = find(noisy(data, cv, np.random.default_rng(0)), voxel)
    require_near(brain, clean, spacing=voxel)


# --- voxels that are far too bright or too dark -------------------------------


@pytest.mark.parametrize("seed", range(12))
def test_hot_and_cold_spots_anywhere(heads, seed):
    rng = np.random.default_rng(seed)
    data = heads[STAGES[seed % 3]]
    clean, spoilt = find(data), data.copy()
    factor = rng.choice([3, 10, 40, 1000, 1e6, -3, -40, -1e6])
    for _ in range(rng.integers(1, 6)):
        side = rng.integers(1, 5)
        at = [rng.integers(0, n - side) for n in data.shape]
        spot = tuple(slice(a, a + side) for a in at)
        spoilt[spot] = factor * data.max()
    if seed % 2:
        spoilt = noisy(spoilt.clip(-1e3, 1e3), 0.3, rng)
    brain = find(spoilt)
    require_near(brain, clean)
    assert brain.hot > 0


@pytest.mark.parametrize("where", ["skin", "pituitary", "cortex"])
@pytest.mark.parametrize("factor", [3, 1000])
def test_a_hot_cube_at_the_head(head, where, factor):
    data, clean = head
    x, y, z = np.rint(clean.centre).astype(int)
    front = np.flatnonzero(data[x, :, z] > 0.15 * clean.mean)[-1]
    at = {
        "skin": (x, front, z),
        "pituitary": (x, y + 4, z - 11),
        "cortex": (x - 18, y - 5, z + 5),
    }
    spoilt = data.copy()
    spoilt[tuple(slice(a - 2, a + 2) for a in at[where])] = factor * data.max()
    require_near(find(spoilt), clean)


@pytest.mark.parametrize("factor", [2, 10, 1000])
@pytest.mark.parametrize("planes", [np.s_[:, :, -1:], np.s_[:, :, :1]])
def test_hot_outermost_planes(head, planes, factor):
    data, clean = head
    spoilt = data.copy()
    spoilt[planes] = factor * clean.mean
    require_near(find(spoilt), clean)


def test_a_ring_around_the_head(heads):
    """A brighter ring is left out, or taken for a brain that is too small."""
    refused = 0
    for data in heads.values():
        clean = find(data)
        centre = np.reshape(clean.centre[:2], (2, 1, 1))
        x, y = np.indices(data.shape[:2]) - centre
        ring = abs(np.hypot(x, y) * MM - 112) < 5
        try:
            brain = find(np.where(ring[..., None], 2 * clean.mean, data))
        except VolumeError as error:
            refused += 1
            if not str(error).startswith("no brain found"):
                raise
        else:
            require_near(brain, clean)
    assert refused < len(heads)


# --- what else is in view -----------------------------------------------------


@pytest.mark.parametrize("pad", [1, 7, 30])
@pytest.mark.parametrize("fill", [0.0, np.nan])
def test_padding(head, pad, fill):
    data, clean = head
    padded = np.pad(data, pad, constant_values=fill)
    require_near(find(padded), clean, offset_mm=np.full(3, pad * MM))


def test_cropped_to_the_head(head):
    data, clean = head
    (box,) = ndimage.find_objects((data > 0.15 * clean.mean).astype(int))
    offset = [-side.start * MM for side in box]
    require_near(find(data[box]), clean, offset_mm=offset)


@pytest.fixture
def long_view(head):
    """A head with 120 mm below and 60 mm beside it, and places in mm."""
    data, clean = head
    wide = np.pad(data, ((20, 20), (20, 20), (40, 0)))
    offset = np.array([60.0, 60.0, 120.0])
    middle = np.multiply(clean.centre, MM) + offset
    places = [
        np.arange(n) * MM - c for n, c in zip(wide.shape, middle, strict=True)
    ]
    return wide, clean, offset, np.meshgrid(*places, indexing="ij")


BODIES = {
    "neck": lambda x, y, z: (np.hypot(x, y + 20) < 55) & (z < -50),
    "shoulders": lambda x, y, z: (
        ((x / 180) ** 2 + ((y + 20) / 100) ** 2 + ((z + 180) / 80) ** 2 < 1)
        | ((np.hypot(x, y + 20) < 55) & (z < -50))
    ),
    "arms": lambda x, y, z: np.hypot(abs(x) - 130, y) < 40,
    "table": lambda x, y, z: abs(y + 130) < 12,
    "face": lambda x, y, z: np.hypot(x, y - 50) / 45 + abs(z + 70) / 60 < 1,
}


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("uptake", [0.15, 0.3, 0.4, 1.0])
def test_a_body_in_view(long_view, body, uptake):
    """Up to 0.3 of the brain, twice a patient's, it hardly matters.

    At 0.4 some brains, not all, are joined with it and some are refused.
    """
    wide, clean, offset, places = long_view
    part = uptake * BODIES[body](*places)
    try:
        brain = find(merged(wide, part, clean.mean))
    except VolumeError as error:
        reason = str(error).split(": ")[0]
        if uptake < 0.2 or body in ("arms", "table") or reason not in REASONS:
            raise
    else:
        times = 3 if uptake == 0.4 else 1
        require_near(brain, clean, offset_mm=offset, times=times)


def test_a_whole_body_with_a_heart_and_a_bladder(head):
    data, clean = head
    long = np.pad(data, ((10, 10), (0, 0), (150, 0)))
    offset = np.array([30.0, 0.0, 450.0])
    middle = np.multiply(clean.centre, MM) + offset
    x, y, z = np.meshgrid(
        *(
            np.arange(n) * MM - c
            for n, c in zip(long.shape, middle, strict=True)
        ),
        indexing="ij",
        sparse=True,
    )
    body = 0.15 * (((x / 140) ** 2 + (y / 90) ** 2 < 1) & (z < -130))
    body[x**2 + y**2 + (z + 230) ** 2 < 42**2] = 2
    body[x**2 + y**2 + (z + 450) ** 2 < 45**2] = 20
    rng = np.random.default_rng(0)
    spoilt = merged(long, body, clean.mean)
    require_near(find(spoilt), clean, offset_mm=offset)
    require_near(find(noisy(spoilt, 0.3, rng)), clean, offset_mm=offset)


# --- partial brains -----------------------------------------------------------


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("end", [0, 1])
@pytest.mark.parametrize("in_view", [True, False])
def test_a_cut_brain_is_near_or_refused(head, axis, end, in_view):
    data, clean = head
    sides = np.flatnonzero(clean.mask.any(tuple({0, 1, 2} - {axis})))
    refused = 0
    for planes in range(0, 20, 2):
        part = slice(sides[0] + planes, None)
        if end:
            part = slice(0, sides[-1] + 1 - planes)
        box = tuple(part if a == axis else slice(None) for a in range(3))
        offset = np.zeros(3)
        if in_view:
            cut = np.zeros_like(data)
            cut[box] = data[box]
        else:
            cut = data[box]
            offset[axis] = -MM * (part.start or 0)
        try:
            require_near(find(cut), clean, offset_mm=offset)
        except VolumeError as error:
            refused += 1
            if str(error).split(": ")[0] not in REASONS:
                raise
    assert refused > 4


def test_planes_of_one_value_were_not_measured(head):
    """A brain cut off before a padding of any value is refused."""
    data, _ = head
    for value in (0.0, -0.2, 0.3):
        cut = data.copy()
        cut[:, :, :24] = value
        with pytest.raises(VolumeError, match="part of a brain"):
            find(cut)
