"""JSON files of BIDS: inheritance, times of frames, derivatives."""

import json
import random

import pytest
from ida_tree import put

from tfds_adni.sources import read_folder
from tfds_adni.sources.bids_sidecars import timing_of
from tfds_adni.sources.timing import FrameTiming

IMAGE = "sub-01/ses-1/pet/sub-01_ses-1_task-rest_pet.nii.gz"


def write(root, *images, **files):
    put(root, *images, **{n: json.dumps(f).encode() for n, f in files.items()})
    return root


def records(root):
    return {r.image_id: r for r in read_folder(root).records}


def only(root):
    (record,) = read_folder(root).records
    return record


@pytest.mark.parametrize(
    ("name", "holds"),
    [
        ("pet.json", True),
        ("task-rest_pet.json", True),
        ("ses-1_task-rest_pet.json", True),
        ("sub-01_pet.json", True),
        ("sub-01/sub-01_pet.json", True),
        ("sub-01/ses-1/sub-01_ses-1_pet.json", True),
        ("sub-01/ses-1/pet/sub-01_task-rest_pet.json", True),
        ("sub-02_pet.json", False),
        ("task-other_pet.json", False),
        ("trc-FDG_pet.json", False),
        ("bold.json", False),
        ("sub-02/pet.json", False),
        ("sub-01_ses-1_task-rest_blood.json", False),
        ("dataset_description.json", False),
    ],
)
def test_a_file_holds_for_names_with_its_entities(tmp_path, name, holds):
    write(tmp_path, IMAGE, **{name: {"TracerName": "FDG"}})
    assert only(tmp_path).tracer == ("FDG" if holds else "unknown")


def test_the_nearest_counts_key_by_key(tmp_path):
    """Every order of writing gives the same; nearer files overwrite."""
    chain = [
        "pet.json",
        "sub-01_task-rest_pet.json",
        "sub-01/sub-01_pet.json",
        "sub-01/ses-1/pet/sub-01_pet.json",
        "sub-01/ses-1/pet/sub-01_ses-1_task-rest_pet.json",
    ]
    rng = random.Random(3)
    for number in range(20):
        chosen = sorted(rng.sample(range(5), rng.randint(1, 5)))
        files = {chain[n]: {"TracerName": f"T{n}"} for n in chosen}
        names = rng.sample(list(files), len(files))
        home = tmp_path / str(number)
        write(home, IMAGE, **{name: files[name] for name in names})
        assert only(home).tracer == f"T{chosen[-1]}"


def test_keys_come_from_several_files(tmp_path):
    write(
        tmp_path,
        IMAGE,
        **{
            "pet.json": {"TracerName": "FDG", "FrameTimesStart": [0, 60]},
            "sub-01/sub-01_pet.json": {"FrameDuration": [60, 120]},
            IMAGE.replace("nii.gz", "json"): {"Units": "Bq/mL"},
        },
    )
    record = only(tmp_path)
    assert record.tracer == "FDG"
    assert record.timing == FrameTiming((0, 60), (60, 120))


def test_names_without_entities_beside_each_other(tmp_path):
    stems = ("sub-01_18FFDG", "sub-01_18FAV45")
    files = {f"{s}_pet.json": {"TracerName": s.split("_")[1]} for s in stems}
    write(tmp_path, *(f"{s}_pet.nii" for s in stems), **files)
    found = {name: r.tracer for name, r in records(tmp_path).items()}
    assert found == {"sub-01_18FFDG_pet": "FDG", "sub-01_18FAV45_pet": "AV45"}


@pytest.mark.parametrize(
    ("facts", "timing"),
    [
        ({"FrameTimesStart": [0, 60], "FrameDuration": [60, 30]}, (0, 60)),
        # counted from the injection, half an hour before the scan
        (
            {
                "FrameTimesStart": [0, 60],
                "FrameDuration": [60, 30],
                "InjectionStart": -1800,
            },
            (1800, 1860),
        ),
        ({"FrameTimesStart": [0, 60], "FrameDuration": [60]}, None),
        ({"FrameTimesStart": [0, 60]}, None),
        ({"FrameTimesStart": [], "FrameDuration": []}, None),
        ({"FrameTimesStart": [0], "FrameDuration": [0]}, None),
        ({"FrameTimesStart": ["0"], "FrameDuration": [60]}, None),
        ({"FrameTimesStart": [True], "FrameDuration": [60]}, None),
        ({"FrameTimesStart": [float("nan")], "FrameDuration": [60]}, None),
        ({"FrameTimesStart": 0, "FrameDuration": 60}, None),
    ],
)
def test_times_of_the_frames(facts, timing):
    found = timing_of(facts)
    assert (found.starts if found else None) == timing


@pytest.mark.parametrize("text", ["{", "[]", "[" * 100_000, "\xff", ""])
def test_a_broken_file_says_nothing(tmp_path, text):
    put(tmp_path, IMAGE, **{"pet.json": text.encode("latin-1")})
    assert only(tmp_path).tracer == "unknown"


def test_each_file_is_read_once(tmp_path, monkeypatch):
    images = [f"sub-{n}/pet/sub-{n}_pet.nii" for n in range(20)]
    write(tmp_path, *images, **{"pet.json": {"TracerName": "FDG"}})
    opened = []
    load = json.loads
    monkeypatch.setattr(json, "loads", lambda x: opened.append(x) or load(x))
    assert {r.tracer for r in read_folder(tmp_path).records} == {"FDG"}
    assert len(opened) == 1


DERIVATIVE = {"Name": "x", "DatasetType": "derivative"}


@pytest.mark.parametrize(
    ("image", "files", "pipeline"),
    [
        ("sub-01_pet.nii", {}, ""),
        ("derivatives/petprep/sub-01/pet/sub-01_pet.nii", {}, "petprep"),
        ("derivatives/clinica/subjects/sub-01/sub-01_pet.nii", {}, "clinica"),
        ("derivatives/sub-01/pet/sub-01_pet.nii", {}, "derivatives"),
        (
            "out/sub-01/sub-01_pet.nii",
            {"out/dataset_description.json": DERIVATIVE},
            "out",
        ),
        (
            "sub-01/sub-01_pet.nii",
            {
                "dataset_description.json": {
                    **DERIVATIVE,
                    "GeneratedBy": [{"Name": "PETPrep"}],
                }
            },
            "PETPrep",
        ),
        (
            "raw/sub-01/sub-01_pet.nii",
            {"raw/dataset_description.json": {"DatasetType": "raw"}},
            "",
        ),
    ],
)
def test_what_is_a_derivative(tmp_path, image, files, pipeline):
    write(tmp_path, image, **files)
    assert only(tmp_path).pipeline == pipeline


def test_a_derivative_of_the_same_name_is_another_image(tmp_path):
    raw = "sub-01/pet/sub-01_pet.nii"
    write(tmp_path, raw, f"derivatives/x/{raw}")
    found = records(tmp_path)
    assert {n: r.pipeline for n, r in found.items()} == {
        "sub-01_pet": "",
        "x_sub-01_pet": "x",
    }
    assert {r.rank for r in found.values()} == {0}


def test_times_of_raw_frames_do_not_hold_for_derivatives(tmp_path):
    times = {"FrameTimesStart": [0, 60], "FrameDuration": [60, 120]}
    raw = "sub-01/pet/sub-01_pet.nii"
    derived = "derivatives/x/sub-01/pet/sub-01_desc-static_pet.nii"
    write(
        tmp_path, raw, derived, **{"pet.json": {"TracerName": "FDG", **times}}
    )
    found = {r.pipeline: r for r in read_folder(tmp_path).records}
    assert found[""].timing
    assert (found["x"].timing, found["x"].tracer) == (None, "FDG")
