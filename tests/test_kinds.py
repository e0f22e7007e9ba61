"""One kind of image for a cohort: which, why, and what is lost."""

import dataclasses
import random

import pytest
import tree_files
from adni_tables import verdict

from tfds_adni import Selection
from tfds_adni.cohort import survey
from tfds_adni.cohort.kinds import keep_one_kind
from tfds_adni.sources.bids_names import parse_name


def image(subject, rest="", pipeline="", level="unknown", **known):
    stem = "_".join(filter(None, [f"sub-{subject}", rest, "pet"]))
    entities = parse_name(stem)
    del entities["suffix"]
    decision = verdict(
        subject=f"sub-{subject}",
        image_id=f"{pipeline}{stem}",
        entities=entities,
        pipeline=pipeline,
        level=level,
        **known,
    )
    record = dataclasses.replace(decision.record, level=level)
    return dataclasses.replace(decision, record=record)


def choose(scans, **options):
    """Reasons by image id, and the warning, whatever the order."""
    found = []
    for seed in range(5):
        order = random.Random(seed).sample(scans, len(scans))
        kept, notes = keep_one_kind(order, Selection(**options))
        found.append(({d.record.image_id: d.reason for d in kept}, notes))
    assert all(one == found[0] for one in found)
    return found[0]


MNI = "space-MNI152NLin2009cAsym_res-2_desc-preproc"
PVC = "space-T1w_pvc-MG_desc-preproc"


def petprep():
    """Nine raw images, two versions of six of them."""
    return [
        *(image(n) for n in range(9)),
        *(image(n, MNI, "petprep") for n in range(6)),
        *(image(n, PVC, "petprep") for n in range(6)),
    ]


def test_the_kind_that_most_subjects_have():
    reasons, (note,) = choose(petprep())
    used = {name for name, reason in reasons.items() if not reason}
    assert used == {f"sub-{n}_pet" for n in range(9)}
    assert reasons[f"petprepsub-0_{PVC}_pet"] == (
        "another kind of image: space-T1w pvc-MG desc-preproc of petprep "
        "(raw is used)"
    )
    assert "images of 3 kinds: raw (9 subjects)" in note
    assert "raw is used, since it has most subjects" in note
    assert "left out" not in note
    assert "--desc preproc or --space MNI152NLin2009cAsym" in note


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ({"desc": "preproc"}, MNI),  # of as many, without correction first
        ({"space": "T1w"}, PVC),
        ({"space": "MNI152NLin2009cAsym", "desc": "preproc"}, MNI),
        ({"desc": ""}, ""),
        ({"desc": "nothing"}, None),
    ],
)
def test_options_choose(options, kept):
    reasons, _ = choose(petprep(), **options)
    used = {name for name, reason in reasons.items() if not reason}
    count = {None: 0, "": 9}.get(kept, 6)
    assert len(used) == count
    assert all(kept in name for name in used)
    others = {r.split(":")[0] for r in reasons.values() if r}
    assert others == {"another kind of image"}


def test_subjects_without_that_kind_are_counted():
    scans = [image(n) for n in range(3)]
    scans += [image(n, MNI, "petprep") for n in range(2, 7)]
    reasons, (note,) = choose(scans)
    assert sum(not reason for reason in reasons.values()) == 5
    assert "of 7 subjects 2 have no image of it and are left out" in note
    assert note.endswith("for another kind add --desc raw or --space raw")


def test_of_as_many_the_least_processed():
    scans = [image(1), image(1, "", "x"), image(1, "desc-y", "x")]
    reasons, (note,) = choose(scans)
    assert reasons["sub-1_pet"] == ""
    assert "least processed of those with most subjects" in note


def test_kinds_that_no_option_tells_apart():
    _, (note,) = choose([image(1, "rec-acdyn"), image(1, "rec-acstat")])
    assert note.endswith("put its files into a folder of their own")


def test_one_kind_makes_no_warning():
    scans = [image(n, f"task-rest_run-{n}_trc-FDG") for n in range(4)]
    reasons, notes = choose(scans)
    assert set(reasons.values()) == {""}
    assert notes == ()


def test_levels_are_no_kinds():
    scans = [verdict(n, image_id=str(n)) for n in (1, 2)]
    scans.append(verdict(3, image_id="3", level="raw"))
    assert choose(scans)[1] == ()


LINEAR = "space-MNI152NLin2009cSym{}_res-1x1x1_suvr-{}"


def linear(subject, desc="_desc-Crop", region="pons2", pipeline="caps"):
    rest = LINEAR.format(desc, region)
    return image(subject, rest, pipeline, level="pet_linear")


def test_pet_linear_is_of_several_kinds():
    scans = [linear(n) for n in range(4)]
    scans += [linear(4, desc=""), linear(5, region="cerebellumPons2")]
    reasons, (note,) = choose(scans)
    assert sum(not reason for reason in reasons.values()) == 4
    assert "images of 3 kinds" in note
    assert "res-1x1x1 suvr-pons2 desc-Crop (4 subjects)" in note
    assert "--desc raw" in note
    # wherever its folder stands
    assert choose([linear(1), linear(2, pipeline="")])[1] == ()


def test_pet_linear_is_never_mixed_with_raw_images():
    scans = [linear(n) for n in range(3)] + [image(3)]
    reasons, (note,) = choose(scans)
    assert reasons["sub-3_pet"].startswith("another kind of image: raw")
    assert "of 4 subjects 1 have no image of it" in note


@pytest.mark.parametrize(
    ("levels", "used"),
    [
        (("pet_linear", "unknown"), "suvr-pons2"),
        (("unknown", "pet_linear"), "sub-0_pet"),
    ],
)
def test_of_as_many_the_level_preferred(levels, used):
    scans = [s for n in range(3) for s in (linear(n), image(n))]
    reasons, (note,) = choose(scans, levels=levels)
    kept = [name for name, reason in reasons.items() if not reason]
    assert len(kept) == 3
    assert any(used in name for name in kept)
    assert "it is the preferred level of those with most subjects" in note


def test_what_has_a_reason_does_not_count():
    scans = [image(1, MNI, "x"), image(1), image(2, reason="another tracer")]
    scans.append(image(3, MNI, "x"))
    reasons, (note,) = choose(scans)
    assert reasons["sub-2_pet"] == "another tracer"
    assert reasons["sub-1_pet"].startswith("another kind of image: raw")
    assert "raw (1 subject)" in note


def test_never_two_kinds_whatever_there_is():
    rng = random.Random(4)
    rests = ["", MNI, PVC, "desc-sm6", "rec-acstat", "space-T1w"]
    for _ in range(100):
        scans = [
            image(n, rest, rng.choice(("", "x")))
            for n in range(6)
            for rest in rng.sample(rests, rng.randint(1, 4))
        ]
        kept, _ = keep_one_kind(scans, Selection())
        used = [d.record for d in kept if not d.reason]
        kinds = {(r.pipeline, r.image_id.split("_", 1)[1]) for r in used}
        assert len(kinds) == 1
        subjects = {}
        for d in scans:
            name = d.record.pipeline, d.record.image_id.split("_", 1)[1]
            subjects.setdefault(name, set()).add(d.record.subject)
        assert len(used) == max(map(len, subjects.values()))


# --- in folders ---------------------------------------------------------------


def used(root, **options):
    cohort = survey(root, Selection(stage="NC", **options))
    return cohort, sorted(d.record.image_id for d in cohort.used)


def test_pet_linear_beside_its_data_set(tmp_path):
    rest = LINEAR.format("_desc-Crop", "pons2")
    for n in range(3):
        name = f"sub-{n}/ses-M000/pet/sub-{n}_ses-M000_trc-18FFDG"
        tree_files.write_image(tmp_path / f"bids/{name}_rec-acstat_pet", "gz")
        if n:
            caps = tmp_path / f"caps/subjects/{name}_{rest}_pet"
            tree_files.write_image(caps, "gz")
    cohort, names = used(tmp_path)
    assert len(names) == 3
    assert all("acstat" in name for name in names)
    assert "images of 2 kinds" in "".join(cohort.warnings)
    cohort, names = used(tmp_path, levels=["pet_linear"])
    assert len(names) == 2
    assert "another level (raw)" in cohort.summary()


def test_maps_of_a_parameter_never_replace_raw_images(tmp_path):
    stem = "sub-{0}/pet/sub-{0}_trc-18FFDG"
    tree_files.write_image(tmp_path / f"{stem}_pet".format(1), "gz")
    for n in (1, 2):
        made = f"derivatives/kin/{stem}_desc-K1map_pet".format(n)
        tree_files.write_image(tmp_path / made, "gz")
    assert used(tmp_path)[1] == ["sub-1_trc-18FFDG_pet"]
