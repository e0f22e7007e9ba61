"""Registration to the template: known poses, limits, the set and its files."""

import dataclasses
import importlib.util
import subprocess
import sys

import ida_tree
import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from scipy import ndimage
from typer.testing import CliRunner

from pet_dcgan.cli.main import app
from pet_dcgan.data.prepared_set import load_slices
from pet_dcgan.utils.foreign_text import read_object
from tfds_adni import prepare
from tfds_adni.volumes import affine_registration
from tfds_adni.volumes.affine_registration import (
    _require_head,
    register,
    require_method,
)
from tfds_adni.volumes.normalisation import Brain
from tfds_adni.volumes.volume import VolumeError

CENTRE = np.array((0.0, -22.6, 7.9))
# the posterior cingulate, both parietal cortices, a frontal pole, a cerebellum
PLACES = [
    (0, -50, 28),
    (-46, -62, 36),
    (46, -62, 36),
    (0, 62, 0),
    (0, -70, -40),
]


def run(*words):
    result = CliRunner().invoke(app, [*map(str, words)])
    assert "Traceback" not in result.output
    return result


# --- without the extra --------------------------------------------------------


@pytest.mark.parametrize("missing", ["SimpleITK", "nilearn"])
def test_without_the_extra_the_error_says_how_to_install_it(
    tmp_path, monkeypatch, missing
):
    real = importlib.util.find_spec
    monkeypatch.setattr(
        affine_registration.importlib.util,
        "find_spec",
        lambda name: None if name == missing else real(name),
    )
    tree = ida_tree.write_tree(tmp_path / "scans", ida_tree.cohort_rows(3))
    words = ("prepare", tree, "--data-dir", tmp_path / "d", "--register")
    result = run(*words, "affine")
    assert result.exit_code == 1
    line = result.stderr.splitlines()[-1]
    assert f"found no {missing}; install it with: pip install " in line
    assert '"pet-dcgan[register]"' in line
    assert not (tmp_path / "d").exists()


def test_a_method_that_is_unknown_is_named(tmp_path):
    with pytest.raises(ValueError, match="of none, affine, found 'rigid'"):
        require_method("rigid")
    with pytest.raises(ValueError, match="choose one with --register"):
        prepare(tmp_path, tmp_path / "d", register="rigid")
    assert run("prepare", tmp_path, "--register", "rigid").exit_code == 2


# --- the limits ---------------------------------------------------------------


def turned(degrees):
    angle = np.deg2rad(degrees)
    matrix = np.eye(3)
    matrix[1:, 1:] = [
        [np.cos(angle), -np.sin(angle)],
        [np.sin(angle), np.cos(angle)],
    ]
    return matrix


@pytest.mark.parametrize(
    ("linear", "words"),
    [
        (np.diag([-1.0, 1.0, 1.0]), "mirrored"),
        (turned(60.0), "turned by 60 degrees"),
        (np.eye(3) + 0.4 * np.eye(3, k=1), "sheared by"),
        (0.5 * np.eye(3), "0.50 x 0.50 x 0.50 of the template's size"),
        (np.diag([0.8, 1.2, 1.0]), "1.20 x 1.00 x 0.80 of the template's"),
    ],
)
def test_what_no_head_is_of_the_template_is_refused(linear, words):
    with pytest.raises(VolumeError, match=f"not registered: {words}"):
        _require_head(linear)


def test_what_heads_are_of_the_template_is_not():
    for linear in (np.eye(3), np.diag([0.85, 0.9, 0.95]), turned(30.0)):
        _require_head(linear)


# --- known poses --------------------------------------------------------------


@pytest.fixture(scope="module")
def template():
    pytest.importorskip("SimpleITK")
    pytest.importorskip("nilearn")
    from tfds_adni.volumes.pet_template import pet_template

    return pet_template()


def posed(template, linear, shift, spacing=(3.0, 2.5, 4.0)):
    """The template as a scan: its brain, and where a place of it lies."""
    shape = np.ceil(np.array((220, 240, 200)) / spacing).astype(int)
    middle = (shape - 1) / 2 * spacing + shift
    # mm of the template to voxels of the scan
    to_scan = nib.affines.from_matvec(
        linear / np.array(spacing)[:, None],
        (middle - linear @ CENTRE) / spacing,
    )
    matrix = np.linalg.inv(template.affine) @ np.linalg.inv(to_scan)
    noise = np.random.default_rng(0).normal(0, 0.02, shape)
    suvr = ndimage.affine_transform(
        template.image, matrix, output_shape=tuple(shape), order=1
    )
    data = (suvr + noise).astype(np.float32)
    centre = tuple(nib.affines.apply_affine(to_scan, CENTRE).tolist())
    return Brain(data, spacing, centre), to_scan


def test_the_template_is_a_brain_of_mni_space(template):
    assert template.image.shape == template.brain.shape
    assert template.around[template.brain].all()
    millilitres = template.brain.sum() * 64 / 1000
    assert 1700 < millilitres < 2300
    inside = template.image[template.brain]
    assert 0.4 < inside.mean() < 1.2
    # symmetric, and its longest side from back to front
    box = np.ptp(np.argwhere(template.brain), axis=0)
    assert box.argmax() == 1
    low = template.affine[0, 3]
    mirrored = template.image[::-1]
    assert low == -92  # so that voxel n mirrors voxel -n
    np.testing.assert_allclose(template.image, mirrored, atol=0.02)


@pytest.mark.parametrize(
    ("linear", "shift"),
    [
        (np.diag([0.9, 0.92, 0.88]), (0, 0, 0)),
        (turned(15.0) * 0.95, (8, -6, 5)),
    ],
)
def test_a_known_pose_is_found_and_left_stays_left(template, linear, shift):
    brain, to_scan = posed(template, linear, shift)
    found = register(brain)
    assert found.similarity > 0.95
    voxels = nib.affines.apply_affine(to_scan, PLACES)
    places = nib.affines.apply_affine(found.affine, voxels)
    errors = np.linalg.norm(places - PLACES, axis=1)
    assert errors.max() < 2
    assert np.linalg.det(found.affine) > 0
    again = register(brain)
    np.testing.assert_array_equal(again.affine, found.affine)
    assert again.similarity == found.similarity


@pytest.mark.parametrize("axis", [1, 2], ids=["back to front", "upside down"])
def test_a_brain_the_wrong_way_round_is_refused(template, axis):
    brain, _ = posed(template, 0.92 * np.eye(3), (0, 0, 0))
    centre = list(brain.centre)
    centre[axis] = brain.suvr.shape[axis] - 1 - centre[axis]
    wrong = np.ascontiguousarray(np.flip(brain.suvr, axis))
    flipped = dataclasses.replace(brain, suvr=wrong, centre=tuple(centre))
    with pytest.raises(VolumeError, match=r"^not registered: "):
        register(flipped)


def test_half_a_brain_is_refused(template):
    brain, _ = posed(template, 0.92 * np.eye(3), (0, 0, 0))
    half = int(brain.centre[2])
    cut = np.ascontiguousarray(brain.suvr[:, :, half:])
    centre = (*brain.centre[:2], 0.0)
    with pytest.raises(VolumeError, match=r"^not registered: "):
        register(dataclasses.replace(brain, suvr=cut, centre=centre))


def test_a_phantoms_anatomy_comes_to_its_place(template):
    """Whose pose, size and bends are known."""
    from tfds_adni.phantom.anatomy import build_anatomy
    from tfds_adni.phantom.imaging import Grid
    from tfds_adni.phantom.render import coordinates, render
    from tfds_adni.phantom.subjects import make_subject
    from tfds_adni.volumes.brain import find_brain
    from tfds_adni.volumes.normalisation import scale_to_suvr
    from tfds_adni.volumes.volume import Volume

    grid = Grid((60, 60, 40), 4.0)
    subject, anatomy = make_subject("MCI", 2), build_anatomy(4.0)
    volume = Volume(render(subject, anatomy, grid=grid), (4.0,) * 3)
    found = find_brain(volume)
    fit = register(scale_to_suvr(volume, found))
    true = coordinates(subject, anatomy, grid=grid)
    voxels = np.argwhere(np.isfinite(true).all(0))
    places = true[(slice(None), *voxels.T)].T
    index = np.rint(places - template.affine[:3, 3]).astype(int) // 4
    ends = np.array(template.brain.shape)
    within = np.all((index >= 0) & (index < ends), axis=1)
    within[within] = template.brain[tuple(index[within].T)]
    voxels, places = voxels[within], places[within]
    errors = np.linalg.norm(
        nib.affines.apply_affine(fit.affine, voxels) - places, axis=1
    )
    centred = 4.0 * (voxels - found.centre) + CENTRE
    before = np.linalg.norm(centred - places, axis=1)
    # the best affine leaves 3.7 mm of the phantom's own bends
    assert np.median(errors) < 6
    assert np.median(errors) < np.median(before)
    left = places[:, 0] < -20
    assert (nib.affines.apply_affine(fit.affine, voxels[left])[:, 0] < 0).all()


# --- the prepared set ---------------------------------------------------------


@pytest.fixture(scope="module")
def tree(template, tmp_path_factory):
    """Nine small scans of the template, one of them upside down."""
    rows = ida_tree.cohort_rows(3)
    root = tmp_path_factory.mktemp("ida") / "scans"
    ida_tree.write_csv(root, rows)
    for number, row in enumerate(rows):
        linear = np.diag([0.88, 0.9, 0.92]) + 0.01 * (number % 3)
        brain, _ = posed(template, linear, (number, 0, 0), (4.0, 4.0, 4.0))
        data = brain.suvr * 5000
        if number == 1:
            data = data[:, :, ::-1]
        path = ida_tree.image_path(root, row)
        path.parent.mkdir(parents=True)
        affine = np.diag([4.0, 4.0, 4.0, 1.0])
        affine[:3, 3] = -110
        nib.save(nib.Nifti1Image(data, affine), path)
    return root


@pytest.fixture(scope="module")
def prepared(tree, tmp_path_factory):
    data_dir = tmp_path_factory.mktemp("data")
    result = run(
        *("prepare", tree, "--data-dir", data_dir, "--config", "volume_64"),
        *("--register", "affine", "--jobs", 1),
    )
    assert result.exit_code == 0, result.output
    return data_dir, result.output


def home_of(data_dir, config="volume_64"):
    (home,) = data_dir.glob(f"adni/{config}/*.*.*")
    return home


def test_registered_volumes_lie_in_the_templates_space(template, prepared):
    data_dir, output = prepared
    assert "space: MNI152NLin2009aSym, all images on one grid" in output
    facts = read_object(home_of(data_dir) / "metadata.json")
    assert facts["space"] == "MNI152NLin2009aSym"
    assert facts["registration"]["method"] == "affine"
    assert facts["registration"]["program"].startswith("SimpleITK ")
    assert "white matter 0.3, 8 mm" in facts["registration"]["template"]
    volumes = load_slices(
        data_dir, "volume_64", split="all", stage="ALL", plane="volume"
    )
    assert volumes.meta.space == "MNI152NLin2009aSym"
    mean = volumes.images.mean(0)
    # brains of three sizes became one
    alike = [np.corrcoef(v.ravel(), mean.ravel())[0, 1] for v in volumes.images]
    assert min(alike) > 0.99


def test_what_is_said_of_each_scan(prepared):
    home = home_of(prepared[0])
    table = pd.read_csv(home / "scans.csv", keep_default_na=False)
    used = table[table["used"]]
    assert len(used) == 8
    assert set(used["space"]) == {"MNI152NLin2009aSym"}
    assert (used["similarity"].astype(float) > 0.9).all()
    (other,) = table[~table["used"]].to_dict("records")
    assert other["reason"].startswith("not registered: ")
    assert (other["space"], other["similarity"]) == ("", "")
    page = (home / "scans.html").read_text()
    assert "registered to the template" in page
    assert "template 0.9" in page


@pytest.mark.slow
def test_several_processes_register_to_the_same_bytes(tree, prepared, tmp_path):
    options = {"config": "volume_64", "register": "affine", "jobs": 2}
    prepare(tree, tmp_path, **options)
    for path in home_of(tmp_path).iterdir():
        other = home_of(prepared[0]) / path.name
        assert path.read_bytes() == other.read_bytes(), path.name


@pytest.mark.slow
def test_slices_of_registered_scans(tree, prepared, tmp_path):
    prepare(tree, tmp_path, config="axial_64", register="affine", jobs=1)
    facts = read_object(home_of(tmp_path, "axial_64") / "metadata.json")
    assert facts["space"] == "MNI152NLin2009aSym"
    where = {"split": "all", "stage": "NC", "plane": "axial"}
    slices = load_slices(tmp_path, "axial_64", **where)
    assert slices.images.shape == (24, 64, 64)
    lowest = slices.images[slices.positions_mm == 0]
    alike = np.corrcoef(lowest.reshape(len(lowest), -1))
    assert alike.min() > 0.99


def test_scans_need_no_simpleitk_unless_they_are_registered(tmp_path):
    """Nor is it imported."""
    words = "import sys, tfds_adni.parallel.examples as e; "
    words += "assert not {'SimpleITK', 'nilearn'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", words], cwd=tmp_path, check=True)
