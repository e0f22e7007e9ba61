"""Trees of published data sets, in their real names, and how each is used."""

import json

import pytest
import tree_files

from tfds_adni.cohort import Selection, gather, survey
from tfds_adni.cohort.splits import SPLITS, assign_splits

TIMES = {
    "FrameTimesStart": [0, 1200, 2400, 2700],
    "FrameDuration": [1200, 1200, 300, 300],
}


def write(root, images, *, json_files=(), participants=None, form="gz"):
    """Images of a few voxels; 4-D with `form="series"`."""
    for stem in images:
        tree_files.write_image(root / stem, form)
    for name, facts in dict(json_files).items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(facts))
    if participants:
        table = root / "participants.tsv"
        table.write_text("\n".join("\t".join(row) for row in participants))
    return root


def used(root, **options):
    cohort = survey(root, Selection(**options))
    assert len(cohort.account()) == len(list(root.rglob("*.nii.gz")))
    return cohort, sorted(d.record.image_id for d in cohort.used)


def error(root, **options):
    with pytest.raises(ValueError, match=r"^expected [^\n]+$") as caught:
        gather(root, Selection(**options))
    return str(caught.value)


# --- ds004513: raw 4-D scans, maps of CMRglc beneath derivatives --------------

_TUM = [(f"s{n:03}", s) for n in (3, 7, 12) for s in ("closed", "open")]
_TUM += [("s028", "open"), ("s029", "open")]
_HC = [(f"HC{n:03}", str(s)) for n in (2, 3, 4) for s in (1, 2)]
_GRID = "task-rest_space-MNI152NLin6ASym_res-3mm"
PEOPLE = ("participant_id", "age", "sex")


def ds004513(root, *, raw=True, derivatives=True):
    files = {}
    for subject, session in _TUM + _HC:
        place = f"sub-{subject}/ses-{session}"
        name = f"pet/sub-{subject}_ses-{session}"
        derived = f"derivatives/energetic-costs/{place}"
        facts = {"TracerName": "FDG", "Units": "Bq/mL", **TIMES}
        if raw and subject[0] == "s":
            scan = f"{place}/{name}_task-rest_pet"
            write(root, [scan], form="series")
            preproc = f"{derived}/{name}_task-rest_desc-preproc_pet"
            write(root, [preproc], form="series")
            files |= {f"{scan}.json": facts, f"{preproc}.json": facts}
        if derivatives:
            maps = [f"{name}_{_GRID}_desc-{d}_pet" for d in ("CMRglc",)]
            maps += [f"{name}_{_GRID}_desc-signcosts_pet"]
            maps += [f"anat/sub-{subject}_ses-{session}_desc-GM_mask"]
            write(root, [f"{derived}/{m}" for m in maps])
    return write(root, [], json_files=files)


def test_cmrglc_maps_alone_need_two_options_which_the_errors_name(tmp_path):
    ds004513(tmp_path, raw=False)
    line = error(tmp_path)
    assert "--assume-tracer FDG" in line
    assert "--stage NC" in line
    assert "--stage NC" in error(tmp_path, assume_tracer="FDG")
    assert "--assume-tracer FDG" in error(tmp_path, stage="NC")
    cohort, names = used(tmp_path, stage="NC", assume_tracer="FDG")
    assert len(cohort.stage_of_subject) == 8
    assert all(name.endswith(f"_{_GRID}_desc-CMRglc_pet") for name in names)
    # of two sessions that nothing orders, the one that most have
    assert sum("ses-open" in name for name in names) == 5
    assert sum("ses-1" in name for name in names) == 3
    reasons = {r for r in cohort.summary() if r != "used"}
    assert reasons == {
        "not a PET image (differences)",
        "not a PET image (a mask)",
        "later visit (baseline is used)",
        "another session is used (neither date nor number says which is "
        "earlier)",
    }
    assert "nothing names the tracer of 8 of the 8 scans used" in "".join(
        cohort.warnings
    )
    assert cohort.selection.facts()["assume_tracer"] == "FDG"


def test_every_session_of_it(tmp_path):
    ds004513(tmp_path, raw=False)
    options = {"stage": "NC", "assume_tracer": "FDG", "visits": "all"}
    assert len(used(tmp_path, **options)[1]) == len(_TUM + _HC)


def test_raw_scans_of_it_name_tracer_and_times(tmp_path):
    ds004513(tmp_path, derivatives=False)
    cohort, names = used(tmp_path, stage="NC", desc="")
    assert names == [
        f"sub-{s}_ses-open_task-rest_pet"
        for s in ("s003", "s007", "s012", "s028", "s029")
    ]
    assert {d.tracer for d in cohort.used} == {"FDG"}
    assert all(d.record.timing.starts[-1] == 2700 for d in cohort.used)


def test_raw_scans_and_maps_together(tmp_path):
    ds004513(tmp_path)
    cohort, names = used(tmp_path, stage="NC", assume_tracer="FDG")
    assert len(names) == 8
    assert all("desc-CMRglc" in name for name in names)
    (note,) = [w for w in cohort.warnings if "kinds" in w]
    assert "raw (5 subjects)" in note
    assert "it has most subjects" in note
    # without the tracer of the maps, raw scans of fewer subjects
    cohort, names = used(tmp_path, stage="NC")
    assert len(names) == 5
    assert all("desc" not in name for name in names)
    assert "--assume-tracer FDG uses them" in "".join(cohort.warnings)


# --- Monash: ds002898 and ds003397 by constant infusion, ds003382 static ------


def test_ds003382_controls(tmp_path):
    stem = "sub-{0:02}/pet/sub-{0:02}_trc-18FFDG_rec-{1}_pet"
    stems = [stem.format(n, r) for n in range(1, 5) for r in ("acstat", "nac")]
    table = [("participant_id", "group")]
    table += [(f"sub-{n:02}", "control") for n in range(1, 5)]
    cohort, names = used(write(tmp_path, stems, participants=table))
    assert set(cohort.stage_of_subject.values()) == {"NC"}
    assert names == [
        f"sub-{n:02}_trc-18FFDG_rec-acstat_pet" for n in (1, 2, 3, 4)
    ]


def test_ds003397_runs_and_a_group_that_is_no_stage(tmp_path):
    stem = "sub-{0:02}/pet/sub-{0:02}_trc-18FFDG_rec-acdyn_run-{1}_pet"
    stems = [stem.format(n, run) for n in range(1, 4) for run in (1, 2, 10)]
    table = [("participant_id", "group"), ("sub-01", "B"), ("sub-02", "I")]
    write(tmp_path, stems, participants=[*table, ("sub-03", "BI")])
    line = error(tmp_path)
    assert "no stage (participants.tsv is B)" in line
    assert "participants.tsv says B, I, BI of 9 scans" in line
    assert "--stage-word B=AD" in line
    _, names = used(tmp_path, stage="NC")
    assert all("_run-10_" in name for name in names)
    assert len(names) == 3
    words = {"B": "NC", "i": "NC", "BI": "NC"}
    assert used(tmp_path, stage_words=words)[1] == names


def test_ds002898_with_one_json_file_for_all(tmp_path):
    stem = "sub-{0:02}/pet/sub-{0:02}_task-rest_pet"
    facts = {"TracerName": "2-[18F]fluoro-2-deoxy-D-glucose", **TIMES}
    root = write(
        tmp_path,
        [stem.format(n) for n in range(1, 5)],
        json_files={"task-rest_pet.json": facts},
        form="series",
    )
    cohort, names = used(root, stage="NC")
    assert len(names) == 4
    assert all(d.record.timing for d in cohort.used)


# --- sets by application ------------------------------------------------------


def test_cermep_static_scans_and_their_version_in_mni_space(tmp_path):
    stem = "sub-{0:04}/pet/sub-{0:04}_trc-18FFDG{1}_pet"
    spaces = ("", "_space-MNI")
    stems = [stem.format(n, s) for n in range(1, 4) for s in spaces]
    cohort, names = used(write(tmp_path, stems), stage="NC")
    assert not any("space" in name for name in names)
    assert "--space MNI" in "".join(cohort.warnings)
    _, names = used(tmp_path, stage="NC", space="MNI")
    assert len(names) == 3
    assert all("space-MNI" in name for name in names)


def test_oasis_3_through_clinica(tmp_path):
    words = {"OAS39001": "Cognitively normal", "OAS39002": "AD Dementia"}
    words["OAS39003"] = "uncertain dementia"
    for label in words:
        place = f"sub-{label}/ses-M006/pet/sub-{label}_ses-M006"
        stems = [f"{place}_trc-{trc}_pet" for trc in ("18FFDG", "11CPIB")]
        write(tmp_path, stems)
        table = tmp_path / f"sub-{label}/sub-{label}_sessions.tsv"
        cells = f"ses-M006\td0190\t70\t0.0\t{words[label]}"
        head = "session_id\tsource_session_id\tage\tcdr\tdx1"
        table.write_text(f"{head}\n{cells}\n")
    cohort, _ = used(tmp_path)
    assert cohort.stage_of_subject == {
        "sub-OAS39001": "NC",
        "sub-OAS39002": "AD",
    }
    assert cohort.summary()["another tracer (PIB)"].total() == 3
    assert "--stage-word 'uncertain dementia=AD'" in "".join(cohort.warnings)


# --- one stage, words and tracers that are given ------------------------------


def test_one_stage_is_split_too():
    people = {f"sub-{n}": "NC" for n in range(5)}
    assert set(assign_splits(people).values()) == set(SPLITS)


def tree_of_words(root, words):
    stems = [f"sub-{n}/pet/sub-{n}_trc-FDG_pet" for n in range(len(words))]
    rows = [(f"sub-{n}", word) for n, word in enumerate(words)]
    return write(root, stems, participants=[("participant_id", "dx"), *rows])


def test_a_stage_for_all_names_tables_that_disagree(tmp_path):
    tree_of_words(tmp_path, ["control", "AD", "patient"])
    cohort, names = used(tmp_path, stage="NC")
    assert len(names) == 3
    assert set(cohort.stage_of_subject.values()) == {"NC"}
    assert [d.label_source for d in cohort.used] == [
        "--stage",
        "--stage; participants.tsv says AD",
        "--stage",
    ]
    text = "".join(cohort.warnings)
    assert "tables give 1 of the 3 scans used another stage than NC" in text
    assert "more specific table" not in text


def test_words_in_any_spelling(tmp_path):
    tree_of_words(tmp_path, ["Healthy Control", "Pat. (late)", "patient"])
    cohort, _ = used(tmp_path, stage_words={"pat late": "AD", "Patient": "MCI"})
    assert sorted(cohort.stage_of_subject.values()) == ["AD", "MCI", "NC"]
    # without them, the scans with other words are skipped with a warning
    cohort, names = used(tmp_path)
    assert names == ["sub-0_trc-FDG_pet"]
    assert "participants.tsv says Pat. (late), patient of 2" in "".join(
        cohort.warnings
    )


def test_a_known_word_is_not_called_unknown(tmp_path):
    """Whatever else keeps its scan out."""
    tree_of_words(tmp_path, ["CN", "patient"])
    table = tmp_path / "DXSUM.csv"
    table.write_text("PTID,EXAMDATE,DIAGNOSIS\n999_S_9001,2011-05-30,1\n")
    line = error(tmp_path, diagnosis=[table])
    assert "participants.tsv says patient of 1 scan," in line


def test_an_assumed_tracer_never_replaces_a_named_one(tmp_path):
    stems = [f"sub-{n}/pet/sub-{n}_pet" for n in (1, 2)]
    stems.append("sub-3/pet/sub-3_trc-11CPIB_pet")
    write(tmp_path, stems)
    cohort, names = used(tmp_path, stage="NC", assume_tracer="FDG")
    assert names == ["sub-1_pet", "sub-2_pet"]
    assert set(cohort.summary()) == {"used", "another tracer (PIB)"}


def test_an_entity_that_no_image_has(tmp_path):
    write(tmp_path, ["sub-1/pet/sub-1_trc-FDG_desc-preproc_pet"])
    line = error(tmp_path, stage="NC", desc="prepoc")
    assert "--desc prepoc is not among preproc" in line
    assert "--desc raw is not among preproc" in error(
        tmp_path, stage="NC", desc=""
    )


def test_a_tracer_that_is_not_known_has_a_remedy(tmp_path):
    write(tmp_path, ["sub-1/pet/sub-1_trc-zuckerl_pet"])
    line = error(tmp_path, stage="NC", assume_tracer="FDG")
    assert "no tracer is known by the name zuckerl" in line
    assert "write FDG as trc- of the file" in line
    write(tmp_path, ["sub-2/pet/sub-2_trc-11CPIB_pet"])
    assert "--tracer PIB" in error(tmp_path, stage="NC")
    # one that is known, but not ADNI's, has none
    write(tmp_path / "b", ["sub-2/pet/sub-2_trc-18FFDOPA_pet"])
    assert "tracer is known" not in error(tmp_path / "b", stage="NC")
