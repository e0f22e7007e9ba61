import builtins
import json

import ida_tree
import pytest

from tfds_adni import prepare
from tfds_adni.cohort.selection import Rules, Selection
from tfds_adni.parallel import beam as room
from tfds_adni.parallel.examples import (
    Outcome,
    SliceSpec,
    make_examples,
    tasks_of,
)
from tfds_adni.sources import read_folder
from tfds_adni.volumes.normalisation import Normalisation

TWO_PROCESSES = (
    "--runner=DirectRunner --direct_running_mode=multi_processing "
    "--direct_num_workers=2"
)


@pytest.fixture
def beam():
    return pytest.importorskip("apache_beam")


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A cohort of 15, one of whose scans has no brain in it."""
    rows = ida_tree.cohort_rows(5)
    root = ida_tree.write_tree(tmp_path_factory.mktemp("ida") / "scans", rows)
    blank = ida_tree.image_path(root, rows[0])
    head = ida_tree.head()
    head[:21] = 0
    ida_tree.save_las(head, blank)
    return root


def tasks(tree):
    judge = Rules.of(Selection()).judge
    cutting = SliceSpec(
        planes=("axial",),
        size=32,
        spacing_mm=6.0,
        bands_mm={"axial": (0.0, 36.0)},
        suvr_max=2.5,
    )
    verdicts = [judge(record) for record in read_folder(tree).records]
    return list(tasks_of(verdicts, cutting, Normalisation()))


def test_without_beam_it_is_said_how_to_install_it(tree, tmp_path, monkeypatch):
    found = builtins.__import__

    def without_beam(name, *args, **kwargs):
        if name.startswith("apache_beam"):
            raise ModuleNotFoundError(name=name)
        return found(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_beam)
    with pytest.raises(ImportError, match=r"pip install \"pet-dcgan\[beam\]\""):
        prepare(tree, tmp_path / "d", beam_options="--runner=DirectRunner")
    assert not (tmp_path / "d").exists()


def test_outcomes_are_read_once(tmp_path):
    outcomes = [
        Outcome(image_id="1", frames=6, subjects=("999_S_9001",)),
        Outcome(image_id="2"),
    ]
    rows = [vars(outcome) for outcome in outcomes]
    (tmp_path / "o.json").write_text(json.dumps(rows))
    assert list(room.read_outcomes(tmp_path / "o.json")) == outcomes
    assert not (tmp_path / "o.json").exists()


def test_options_are_beams_own(beam):
    options = room.pipeline_options(TWO_PROCESSES)
    said = options.get_all_options()
    assert said["runner"] == "DirectRunner"
    assert said["direct_num_workers"] == 2


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (
            ValueError("number of generated examples is 0 for split test. x"),
            ValueError,
            "usable scans for the test split, found none",
        ),
        (
            OSError("gone\n  File here"),
            RuntimeError,
            "Apache Beam to finish, found gone File here; its log",
        ),
    ],
)
def test_what_stops_beam_is_one_line(error, kind, words):
    with pytest.raises(kind, match=words) as raised, room.worded_errors():
        raise error
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "text", ["--direct_num_workers=many", "--runner='DirectRunner"]
)
def test_options_beam_does_not_understand(beam, text, capsys):
    with pytest.raises(ValueError, match="expected options of Apache Beam"):
        room.pipeline_options(text)
    assert capsys.readouterr().err == ""


def test_the_transform_makes_what_one_process_makes(beam, tree, tmp_path):
    expected = [make_examples(task) for task in tasks(tree)]
    options = room.pipeline_options("--runner=DirectRunner")
    with beam.Pipeline(options=options) as pipeline:
        _ = (
            pipeline
            | room.examples_of(tasks(tree), tmp_path / "outcomes.json")
            | beam.Map(lambda pair: repr(pair))
            | beam.combiners.ToList()
            | beam.Map(lambda rows, path: _write(path, rows), tmp_path / "rows")
        )
    outcomes = list(room.read_outcomes(tmp_path / "outcomes.json"))
    assert outcomes == [outcome for outcome, _ in expected]
    assert {o.reason.split(":")[0] for o in outcomes} == {"", "part of a brain"}
    rows = json.loads((tmp_path / "rows").read_text())
    assert sorted(rows) == sorted(
        repr(pair) for _, examples in expected for pair in examples
    )


def _write(path, rows):
    path.write_text(json.dumps(rows))


def content(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.slow
def test_several_processes_of_beam_give_the_same_data_set(beam, tree, tmp_path):
    """The same examples, splits, account and metadata, to the byte."""
    plain, beamed = tmp_path / "plain", tmp_path / "beamed"
    prepare(tree, plain, config="axial_64", jobs=1)
    prepare(tree, beamed, config="axial_64", beam_options=TWO_PROCESSES)
    assert content(beamed) == content(plain)


@pytest.mark.slow
def test_beam_with_nothing_to_make_leaves_nothing(beam, tmp_path):
    root = ida_tree.write_tree(tmp_path / "scans", ida_tree.cohort_rows(3))
    for path in root.rglob("*.nii"):
        head = ida_tree.head()
        head[:21] = 0
        ida_tree.save_las(head, path)
    with pytest.raises(ValueError, match="expected usable scans"):
        prepare(
            root,
            tmp_path / "d",
            config="axial_64",
            beam_options="--runner=DirectRunner",
        )
    assert not (tmp_path / "d").exists()
