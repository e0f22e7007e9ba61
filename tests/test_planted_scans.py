"""From a scan's file to a training batch, exact to one step of 1/65535."""

import ida_tree
import numpy as np
import planted_scans
import pytest
import tensorflow_datasets as tfds
from planted_scans import BANDS, coarse, fine, slices, stored

from pet_dcgan.data.batches import training_batches
from pet_dcgan.data.conditional_slices import conditions_for
from pet_dcgan.data.prepared_set import load_slices, open_set
from pet_dcgan.training.train import resolve_config
from tfds_adni import prepare
from tfds_adni.volumes.normalisation import Normalisation

SPLITS = ("train", "validation", "test")
NAMES = ("image", "position_mm")
AXES = {"sagittal": 0, "coronal": 1, "axial": 2}
COARSE = {"size": 64, "spacing": 3.0}


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A download of 3 mm, and the volume of each scan."""
    root, rows = tmp_path_factory.mktemp("coarse"), ida_tree.cohort_rows(3)
    return root, planted_scans.write_tree(root, coarse, spacing=3.0, rows=rows)


@pytest.fixture(scope="module")
def prepared(tree, tmp_path_factory):
    """`data_dir` of `adni/all_64`, divided by the mean of the brain."""
    data_dir = tmp_path_factory.mktemp("coarse_data")
    prepare(tree[0], data_dir, config="all_64", jobs=1)
    return data_dir


def examples(data_dir, config):
    """Images by scan and plane, in the order of slices; their positions."""
    builder = tfds.builder(f"adni/{config}", data_dir=data_dir)
    planes = builder.info.features["plane"].names
    found = {}
    for split in SPLITS:
        for one in tfds.as_numpy(builder.as_dataset(split=split)):
            key = one["scan"].decode(), planes[one["plane"]]
            found.setdefault(key, {})[one["slice"]] = one
    return {
        key: [np.array([by[i][name] for i in sorted(by)]) for name in NAMES]
        for key, by in found.items()
    }


def compare(images, cut, brain, method="brain"):
    """Compares slices with what was planted, in steps of 1/65535.

    By the brain's mean, which is no round number, a value may lie so near half
    a step that float32 rounds it the other way.
    """
    if method == "brain":
        steps = stored(cut, 1 / brain.mean).astype(int) - images
        assert np.abs(steps).max() <= 1
        assert np.count_nonzero(steps) < 0.01 * steps.size
    else:
        expected = stored(cut, planted_scans.FACTORS[method])
        np.testing.assert_array_equal(images, expected)


def check(data_dir, config, volumes, *, size, spacing, method="brain"):
    """Compares every pixel of every scan with what was planted."""
    found = examples(data_dir, config)
    planes = {plane for _, plane in found}
    assert set(found) == {(scan, p) for scan in volumes for p in planes}
    for (scan, plane), (images, positions) in found.items():
        brain = planted_scans.found(volumes[scan], spacing)
        cut = slices(
            volumes[scan],
            plane,
            size=size,
            spacing=spacing,
            centre=brain.centre,
        )
        compare(images[..., 0], cut, brain, method)
        middle = brain.centre[AXES[plane]]
        wanted = np.arange(*BANDS[plane], spacing)
        wanted += (round(middle) - middle) * spacing
        np.testing.assert_allclose(positions, wanted, rtol=0, atol=1e-4)
    return found


def test_a_planted_brain_has_the_means_it_is_said_to_have():
    volume = coarse(0)
    brain = volume[planted_scans.inside()]
    assert brain.mean(dtype=np.float64) == 1024
    assert 0.55 * np.median(brain) < brain.min()
    assert len(np.unique(brain)) > 300
    assert volume[planted_scans.REGION].mean() == 1280


def test_scans_on_the_grid_of_axial_128(tmp_path):
    volumes = planted_scans.write_tree(tmp_path / "in", fine, spacing=1.5)
    prepare(tmp_path / "in", tmp_path, config="axial_128", jobs=1)
    check(tmp_path, "axial_128", volumes, size=128, spacing=1.5)


def test_divided_by_the_brain_in_all_planes(tree, prepared):
    found = check(prepared, "all_64", tree[1], **COARSE)
    assert len(found) == 9 * 3
    for (_, plane), (images, _) in found.items():
        if plane == "axial":
            # the brain's centre is its mean, so about SUVR 1 of 2.5
            assert np.abs(images[0, 30:33, 31:34, 0] / 26214.0 - 1).min() < 0.02
            assert images.max() == 65535


@pytest.mark.parametrize(
    ("method", "factor", "centre"),
    [
        ("mask", 1, 20971),  # SUVR 1024 / 1280 = 0.8
        ("none", 1.25 / 1024, 32768),  # SUVR 1.25, 32767.5 rounded
    ],
)
def test_divided_by_a_region_or_not_at_all(tmp_path, method, factor, centre):
    root, masks = tmp_path / "in", None
    volumes = planted_scans.write_tree(root, coarse, spacing=3.0, factor=factor)
    if method == "mask":
        masks = planted_scans.region_file(tmp_path / "region.nii.gz")
    chosen = Normalisation(method=method, masks=masks)
    prepare(root, tmp_path, config="axial_64", normalisation=chosen, jobs=1)
    found = check(tmp_path, "axial_64", volumes, method=method, **COARSE)
    for images, _ in found.values():
        assert centre in images[:3, 30:33, 31:34, 0]
    assert open_set(tmp_path, "axial_64").meta.reference == method


@pytest.mark.parametrize("stage", ["NC", "MCI", "AD"])
def test_slices_of_all_planes_come_together(prepared, stage):
    where = {"split": "train", "stage": stage}
    together = load_slices(prepared, "all_64", plane="ALL", **where)
    assert set(together.planes) == set(BANDS)
    for plane in BANDS:
        alone = load_slices(prepared, "all_64", plane=plane, **where)
        rows = together.planes == plane
        assert rows.sum() == len(alone.images)
        for name in ("images", "scans", "positions_mm", "stages", "ages"):
            one, all_of_them = getattr(alone, name), getattr(together, name)
            np.testing.assert_array_equal(all_of_them[rows], one)
    assert set(together.ages) == {71.0}
    assert set(together.sexes) <= {"F", "M"}
    scan = together.scans == together.scans[0]
    assert list(dict.fromkeys(together.planes[scan])) == sorted(BANDS)


def test_conditions_of_all_planes_hold_every_position(prepared):
    where = {"stage": "ALL", "plane": "ALL"}
    train = load_slices(prepared, "all_64", split="train", **where)
    conditions = conditions_for(train, ["stage", "plane", "position", "age"])
    assert conditions.planes == ("axial", "coronal", "sagittal")
    assert conditions.ages == (71.0, 71.0)
    found = load_slices(prepared, "all_64", split="all", **where)
    for plane, (low, high) in conditions.bands_mm.items():
        first, end = BANDS[plane]
        assert (low, high) == (first - 1.5, end - 1.5)
        positions = found.positions_mm[found.planes == plane]
        assert low <= positions.min() < low + 3
        assert high - 3 < positions.max() <= high


@pytest.mark.parametrize("stage", ["NC", "MCI", "AD"])
def test_slices_are_read_as_they_are_stored(tree, prepared, stage):
    read = [
        load_slices(prepared, "all_64", split=s, stage=stage, plane="axial")
        for s in SPLITS
    ]
    assert sum(len(one.images) for one in read) == 3 * 12
    for one in read:
        assert one.meta.suvr_max == 2.5
        for scan in np.unique(one.scans):
            brain = planted_scans.found(tree[1][scan], 3.0)
            cut = slices(tree[1][scan], "axial", centre=brain.centre, **COARSE)
            rows = one.scans == scan
            compare(one.images[rows], cut, brain)
            middle = brain.centre[2]
            wanted = np.arange(0, 36, 3) + 3 * (round(middle) - middle)
            np.testing.assert_allclose(
                one.positions_mm[rows], wanted, rtol=0, atol=1e-4
            )


@pytest.mark.parametrize("channels", [1, 3])
def test_a_batch_is_the_stored_value_on_the_networks_scale(prepared, channels):
    where = {"data_dir": prepared, "dataset": "all_64", "stage": "AD"}
    where["plane"] = "axial"
    changes = {"batch_size": 12, "epochs": 1, "channels": channels}
    config = resolve_config("demo", overrides=changes, seed=0, **where)
    train = load_slices(
        prepared, "all_64", split="train", stage="AD", plane="axial"
    )
    batches = training_batches(train, config).as_numpy_iterator()
    x = np.concatenate(list(batches))
    assert x.shape == (len(train.images), 64, 64, channels)
    # each slice once: told apart by the stored value at 26 places
    marks = np.rint((x[:, 20, ::8, 0].astype(float) + 1) / 2 * 65535)
    places = [
        int(np.abs(train.images[:, 20, ::8] - mark).sum(axis=1).argmin())
        for mark in marks
    ]
    assert sorted(places) == list(range(len(train.images)))
    expected = train.images[places].astype(np.float64) / 65535 * 2 - 1
    for channel in range(channels):
        # half a step of float32 at 2, where a stored step is 3e-5
        np.testing.assert_allclose(
            x[..., channel], expected, rtol=0, atol=2.5e-7
        )
