import dataclasses

import ida_tree
import pytest

from tfds_adni.cohort import survey


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    root = tmp_path_factory.mktemp("ida") / "scans"
    rows = ida_tree.cohort_rows(2)
    rows[0]["Group"] = "SMC"
    return survey(ida_tree.write_tree(root, rows))


def test_counts_by_stage(cohort):
    shown = cohort._repr_html_()
    assert "6 found, 5 used, 1 skipped" in shown
    used = shown[shown.index(">used<") :].split("</tr>")[0]
    assert [part.split("<")[0] for part in used.split(">")[3::2]] == [
        "1",
        "2",
        "2",
        "0",
        "5",
    ]
    assert "Phantom" in shown


def test_no_subject_is_named(cohort):
    for verdict in cohort.verdicts:
        assert verdict.record.subject not in cohort._repr_html_()
        # kept in the notebook beside the table
        assert verdict.record.subject not in repr(cohort)
    assert repr(cohort) == "<Cohort: 6 found, 5 used>"


def test_words_of_users_are_escaped(cohort):
    verdicts = (cohort.verdicts[0].with_reason("<b>odd</b>"),)
    odd = dataclasses.replace(cohort, verdicts=verdicts, notes=("<i>a</i>",))
    shown = odd._repr_html_()
    assert "&lt;b&gt;odd" in shown
    assert "&lt;i&gt;a" in shown
    assert "<b>odd" not in shown
    assert "<i>" not in shown
