"""That the list of mutations keeps up with the code; it is run by hand."""

import importlib
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def module(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    return importlib.import_module("mutations")


def test_every_mutation_changes_its_file(module):
    assert len({m.name for m in module.MUTATIONS}) == len(module.MUTATIONS)
    for mutation in module.MUTATIONS:
        before = (ROOT / mutation.file).read_text(encoding="utf-8")
        assert module.mutated(mutation) != before, mutation.name


def test_the_tests_that_should_notice_are_there(module):
    for mutation in module.MUTATIONS:
        for test in mutation.tests:
            file, _, name = test.partition("::")
            assert f"def {name}" in (ROOT / file).read_text(encoding="utf-8")


@pytest.mark.parametrize(("old", "count"), [("gone", 0), ("SPLITS", 2)])
def test_a_text_that_is_not_there_once_is_said(module, old, count):
    mutation = module.Mutation(
        "x", "tfds_adni/cohort/splits.py", old, "new", ()
    )
    with pytest.raises(SystemExit, match=f"splits.py, found {count} times"):
        module.mutated(mutation)


def test_a_mutation_that_survives_is_the_exit_code(module, monkeypatch, capsys):
    found = {"hash of the split": "", "seed of the split": "tests/test_s.py::t"}
    chosen = [m for m in module.MUTATIONS if m.name in found]
    monkeypatch.setattr(module, "MUTATIONS", chosen)
    monkeypatch.setattr(module, "first_failure", lambda m: found[m.name])
    monkeypatch.setattr("sys.argv", ["mutations.py", "--no-control"])
    assert module.main() == 1
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert rows[2][-4:] == ["yes", "|", "test_s.py::t", "|"]
    assert "no" in rows[3]
    found["hash of the split"] = "tests/test_s.py::u"
    assert module.main() == 0


def test_tests_that_fail_are_told_from_tests_that_are_not_there(
    module, monkeypatch
):
    tests = ("tests/test_splits.py",)
    changed = {"tfds_adni/cohort/splits.py": "HELD_OUT = 0.5\n"}
    assert module.run_tests(tests, changed) == tests[0]
    done = subprocess.CompletedProcess([], 4, "ERROR: not found: x", "")
    monkeypatch.setattr(module, "_pytest", lambda copy, tests: done)
    with pytest.raises(RuntimeError, match="not found"):
        module.run_tests(tests, {})
