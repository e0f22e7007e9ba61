import json

import pytest
from ida_tree import put

from tfds_adni.sources import Label, read_folder

TABLES = {
    "participants.tsv": (
        b"participant_id\talternative_id_1\tsex\tage_bl\tdiagnosis_sc\n"
        b"sub-ADNI999S9001\t999_S_9001\tF\t71.5\tLMCI\n"
    ),
    "sub-ADNI999S9001/sub-ADNI999S9001_sessions.tsv": (
        b"session_id\texamination_date\tage\tdiagnosis\n"
        b"ses-M000\t2012-05-05\t71.5\tMCI\n"
        b"ses-M012\t2013-05-06\tn/a\tAD\n"
    ),
}
STEM = "sub-ADNI999S9001_ses-{}_trc-18FFDG_rec-coregiso_pet"
LONE = "sub-01/ses-1/pet/sub-01_ses-1_trc-FDG_pet.nii"


def scan(session="M000"):
    folder = f"sub-ADNI999S9001/ses-{session}/pet"
    return f"{folder}/{STEM.format(session)}.nii.gz"


@pytest.fixture
def clinica(tmp_path):
    """What Clinica's adni-to-bids writes, two sessions of one subject."""
    put(tmp_path, scan(), scan("M012"), **TABLES)
    return tmp_path


def only(folder):
    (record,) = read_folder(folder).records
    return record


def test_clinica_joins_names_and_tables(clinica):
    assert read_folder(clinica).source == "bids"
    first, second = read_folder(clinica).records
    assert first.subject == "999_S_9001"
    assert first.image_id == STEM.format("M000")
    assert (first.visit, first.date) == ("M000", "2012-05-05")
    assert (first.tracer, first.level) == ("FDG", "uniform_8mm")
    assert (first.age, first.sex, first.problem) == (71.5, "F", "")
    assert first.labels == (
        Label("MCI", "sessions.tsv"),
        Label("LMCI", "participants.tsv"),
    )
    assert second.labels[0] == Label("AD", "sessions.tsv")
    assert second.age == -1.0  # participants.tsv has that of the first session


def test_tables_of_adni_hold_for_folders_beside_theirs(tmp_path):
    put(tmp_path / "bids", scan(), **TABLES)
    stem = f"{STEM.format('M000')[:-4]}_space-MNI_res-1x1x1_suvr-x_pet"
    put(tmp_path, f"caps/subjects/sub-ADNI999S9001/{stem}.nii.gz")
    assert {
        r.image_id: (r.level, r.date, r.tracer)
        for r in read_folder(tmp_path).records
    } == {
        STEM.format("M000"): ("uniform_8mm", "2012-05-05", "FDG"),
        stem: ("pet_linear", "2012-05-05", "FDG"),
    }


def test_caps_alone(tmp_path):
    put(tmp_path, f"subjects/{scan()}")
    assert read_folder(tmp_path).source == "bids"
    assert only(tmp_path).labels == ()


@pytest.mark.parametrize(
    ("entities", "tracer", "level"),
    [
        ("trc-11CPIB", "PIB", "unknown"),
        ("trc-CIMBI36", "CIMBI36", "unknown"),
        ("trc-18FFDG_rec-coregdyn", "FDG", "dynamic"),
        ("trc-18FFDG_rec-coregavg", "FDG", "averaged"),
        ("trc-18FFDG_rec-coregstd", "FDG", "standardised"),
        ("trc-18FFDG_rec-acdyn1_run-1", "FDG", "raw"),
        ("task-rest_acq-fdg", "FDG", "unknown"),
        ("acq-static", "unknown", "unknown"),
    ],
)
def test_entities(tmp_path, entities, tracer, level):
    put(tmp_path, f"sub-01/pet/sub-01_{entities}_pet.nii")
    record = only(tmp_path)
    assert (record.subject, record.visit) == ("sub-01", "")
    assert (record.tracer, record.level) == (tracer, level)


@pytest.mark.parametrize(
    ("name", "facts", "tracers"),
    [
        ("trc-18FFDG_", {"TracerName": "11C-PiB"}, "FDG and PIB"),
        ("trc-18FFDG_acq-FDOPA_", {}, "FDG and FDOPA"),
        (
            "",
            {"TracerName": "FDG", "Radiopharmaceutical": "Florbetapir"},
            "FDG and AV45",
        ),
        ("trc-18FFDG_acq-fdg_", {"TracerName": "fluorodeoxyglucose"}, ""),
        ("trc-18FFDG_", {"TracerName": "the usual"}, ""),
    ],
)
def test_two_tracers_are_a_reason(tmp_path, name, facts, tracers):
    put(tmp_path, f"sub-01/pet/sub-01_{name}pet.nii.gz")
    (tmp_path / "pet.json").write_text(json.dumps(facts))
    why = f"two tracers are named: {tracers}" if tracers else ""
    assert only(tmp_path).problem == why


@pytest.mark.parametrize(
    ("place", "tracer"),
    [
        ("FDG_and_others/FDOPA/sub-01/pet/sub-01_pet.nii", "FDOPA"),
        ("FDG/UCBJ/sub-01/pet/sub-01_pet.nii", "UCBJ"),
        ("FDG/18F-FET/sub-01/pet/sub-01_pet.nii", "FET"),
        ("FDG/sub-01/pet/sub-01_acq-15Owater_pet.nii", "water"),
        ("FDG/sub-01/pet/sub-01_acq-static_pet.nii", "FDG"),
    ],
)
def test_another_tracer_in_the_path(tmp_path, place, tracer):
    put(tmp_path, place)
    assert only(tmp_path).tracer == tracer


@pytest.mark.parametrize(
    ("text", "tracer"),
    [
        (json.dumps({"TracerName": "[18F]FDG"}), "FDG"),
        (json.dumps({"TracerName": 18}), "unknown"),
        (json.dumps(["FDG"]), "unknown"),
        ("{", "unknown"),
        ("[" * 100_000, "unknown"),
    ],
)
def test_tracer_of_the_json_file_where_the_name_has_none(
    tmp_path, text, tracer
):
    put(tmp_path, "sub-01/pet/sub-01_pet.nii.gz")
    (tmp_path / "sub-01/pet/sub-01_pet.json").write_text(text)
    assert only(tmp_path).tracer == tracer


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("sub-01/anat/sub-01_T1w.nii.gz", "not PET (T1w)"),
        ("sub-01/pet/sub-01_rec-nacstat_pet.nii", "not corrected"),
        ("derivatives/mask.nii", "no BIDS name"),
        ("sourcedata/x_I900001.nii", "no BIDS name"),
        ("sub-01/pet/sub-01.nii", "no BIDS name"),
        ("sub-01/pet/x.v", "ECAT"),
    ],
)
def test_other_images_have_their_reason(tmp_path, name, problem):
    put(tmp_path, "sub-01/pet/sub-01_pet.nii", name)
    (record,) = [r for r in read_folder(tmp_path).records if r.problem]
    assert record.paths == (tmp_path / name,)
    assert record.problem.startswith(problem)


def test_the_same_scan_twice_has_an_order(tmp_path):
    place = "sub-01/pet/sub-01_pet.nii"
    put(tmp_path, place, f"{place}.gz", f"backup/{place}")
    records = read_folder(tmp_path).records
    assert {r.image_id for r in records} == {"sub-01_pet"}
    assert sorted((r.rank, r.paths[0].name, r.copy != "") for r in records) == [
        (0, "sub-01_pet.nii", False),
        (1, "sub-01_pet.nii", True),
        (2, "sub-01_pet.nii.gz", True),
    ]


def test_one_label_in_two_data_sets_is_two_people(tmp_path):
    put(tmp_path, "a/sub-01/pet/sub-01_trc-x_pet.nii")
    put(tmp_path, "b/sub-01/pet/sub-01_trc-y_pet.nii")
    table = b"participant_id\tdx\tgender\n01\tAD\tm\n"
    put(tmp_path / "a", **{"participants.tsv": table})
    found = {r.tracer: (r.labels, r.sex) for r in read_folder(tmp_path).records}
    labels = (Label("AD", "participants.tsv"),)
    assert found == {"x": (labels, "M"), "y": ((), "")}


@pytest.mark.parametrize(
    ("scan", "table", "text"),
    [
        # derivatives belong to the data set around them
        (
            f"derivatives/x/{LONE}",
            "sub-01/sub-01_sessions.tsv",
            b"session_id\tgroup\tacq_time\nses-1\tCN\t1900-01-02\n",
        ),
        # all subjects in one table
        (
            LONE,
            "sessions.tsv",
            b"participant_id\tsession_id\tacq_time\tdx\n"
            b"sub-01\t1\t1900-01-02\tCN",
        ),
    ],
)
def test_places_of_the_table_of_sessions(tmp_path, scan, table, text):
    put(tmp_path, scan, **{table: text})
    record = only(tmp_path)
    assert record.labels == (Label("CN", "sessions.tsv"),)
    assert record.date == "1900-01-02"


def test_broken_tables_give_nothing(clinica):
    damaged = b"participant_id\nsub-" + b"x" * 2**18
    empty = b"session_id\tdiagnosis\n\tAD\nses-M000\tn/a\n"
    put(clinica, **dict(zip(TABLES, (damaged, empty), strict=True)))
    found = read_folder(clinica)
    assert found.records[0].labels == ()
    expected = "expected a diagnosis in participants.tsv"
    assert found.missing_tables().startswith(expected)


def test_bids_names_in_an_ida_download_are_not_mixed_in(tmp_path):
    put(tmp_path, "ADNI/x_999_S_9001_I900001.nii", "bids/" + scan())
    found = read_folder(tmp_path)
    problems = {r.image_id: r.problem for r in found.records}
    assert (found.source, problems["900001"]) == ("ida", "")
    assert problems[""].startswith("a BIDS name outside")


@pytest.mark.parametrize(
    ("ids", "known"),
    [
        # what a spreadsheet makes of 01, and other spellings
        (["1", "SUB-02", "sub-3"], "123"),
        (["01", "sub-02", "003"], "123"),
        # two rows that may be of one subject
        (["1", "001", "02"], "2"),
        (["01", "1", "02"], "12"),
    ],
)
def test_ids_of_a_table_in_another_spelling(tmp_path, ids, known):
    for n in "123":
        put(tmp_path, f"sub-0{n}/pet/sub-0{n}_pet.nii")
    rows = "".join(f"{one}\tCN\n" for one in ids)
    table = f"participant_id\tdx\n{rows}".encode()
    put(tmp_path, **{"participants.tsv": table})
    records = read_folder(tmp_path).records
    assert "".join(r.subject[-1] for r in records if r.labels) == known


@pytest.mark.parametrize("column", ["subject_id", "Subject", "Participant ID"])
def test_columns_of_ids(tmp_path, column):
    put(tmp_path, "sub-01/pet/sub-01_pet.nii")
    table = f"{column}\tdx\nsub-01\tCN\n".encode()
    put(tmp_path, **{"participants.tsv": table})
    assert only(tmp_path).labels == (Label("CN", "participants.tsv"),)


def test_a_table_of_other_ids_is_named(tmp_path):
    put(tmp_path, "sub-01/pet/sub-01_pet.nii")
    table = b"participant_id\tdx\nP7\tCN\n"
    put(tmp_path, **{"participants.tsv": table})
    found = read_folder(tmp_path)
    (note,) = found.notes
    assert note.startswith(
        "participants.tsv lists none of the subjects with images: no id of "
        "its 1 rows is that of one of 1 folders; "
    )
    assert note in found.missing_tables()


def test_dates_of_each_data_set_are_read_for_themselves(tmp_path):
    """13/05 in one proves nothing of 5/6 in another."""
    days = {"siteA": "13/05/2012", "siteB": "5/6/2012"}
    for n, (name, day) in enumerate(days.items()):
        label = f"sub-{n}"
        put(tmp_path / name, f"{label}/ses-1/pet/{label}_ses-1_pet.nii")
        table = f"session_id\tacq_time\nses-1\t{day}\n".encode()
        put(tmp_path / name, **{f"{label}/{label}_sessions.tsv": table})
    with pytest.raises(ValueError, match=r"sessions\.tsv of siteB"):
        read_folder(tmp_path)
    records = read_folder(tmp_path, date_order="mdy").records
    assert [r.date for r in records] == ["2012-05-13", "2012-05-06"]
