import json
import pickle
from pathlib import Path

import pytest

from tfds_adni import Selection
from tfds_adni.sources.record import LEVELS


def test_defaults_are_those_of_the_paper():
    assert Selection().facts() == {
        "tracer": "FDG",
        "visits": "baseline",
        "smc": "drop",
        "levels": list(LEVELS),
        "label_days": 180,
        "diagnosis": [],
        "qc": [],
    }


def test_facts_are_json_and_name_no_folder():
    selection = Selection(diagnosis=["/home/someone/DXSUM.csv"], qc=["a/Q.csv"])
    facts = json.loads(json.dumps(selection.facts()))
    assert (facts["diagnosis"], facts["qc"]) == (["DXSUM.csv"], ["Q.csv"])


def test_equal_hashable_and_picklable():
    selection = Selection(levels=["raw"], qc=["Q.csv"])
    assert selection == Selection(levels=("raw",), qc=(Path("Q.csv"),))
    assert hash(selection) == hash(pickle.loads(pickle.dumps(selection)))


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("tracer", "fdg", r"tracer to be one of .*FDG.* found 'fdg'"),
        ("tracer", "unknown", "expected tracer"),
        ("visits", "first", "baseline, all, found 'first'"),
        ("smc", "", "drop, keep, found ''"),
        ("levels", ["8mm"], "each level to be one of uniform_8mm"),
        ("levels", [], "at least one level .* found none"),
        ("levels", ["raw", "raw"], "each only once, found raw, raw"),
        ("levels", "raw", "list of levels, found 'raw'"),
        ("diagnosis", Path("D.csv"), "list of diagnosis, found 'D.csv'"),
        ("label_days", -1, "label_days of at least 0, found -1"),
        ("label_days", 1.5, "found 1.5"),
        ("label_days", True, "found True"),
    ],
)
def test_options_that_make_no_sense(option, value, words):
    with pytest.raises(ValueError, match=words) as caught:
        Selection(**{option: value})
    assert "\n" not in str(caught.value)
