"""Dates in the sessions.tsv of a BIDS data set, all of them one column."""

import pytest
from ida_tree import put

from tfds_adni.sources import read_folder
from tfds_adni.tables import DateOrderError


def write(root, *cells, name="examination_date"):
    for number, cell in enumerate(cells, start=1):
        home = f"sub-{number}"
        put(root, f"{home}/ses-1/pet/{home}_ses-1_trc-FDG_pet.nii.gz")
        table = f"session_id\t{name}\nses-1\t{cell}\n".encode()
        put(root, **{f"{home}/{home}_sessions.tsv": table})
    return root


def dates(root, **options):
    return [r.date for r in read_folder(root, **options).records]


@pytest.mark.parametrize("name", ["examination_date", "acq_time"])
def test_one_session_proves_the_order_of_all(tmp_path, name):
    write(tmp_path, "3/4/2012", "25/4/2012", "2012-05-06T09:30", name=name)
    assert dates(tmp_path) == ["2012-04-03", "2012-04-25", "2012-05-06"]


def test_sessions_that_prove_nothing(tmp_path):
    write(tmp_path, "3/4/2012", "5/4/2012", "n/a")
    with pytest.raises(DateOrderError, match=r"_date in sessions\.tsv can be"):
        dates(tmp_path)
    assert dates(tmp_path, date_order="mdy")[0] == "2012-03-04"


def test_cells_that_are_no_dates_are_named(tmp_path):
    write(tmp_path, "baseline", "2012-05-06", "n/a")
    found = read_folder(tmp_path)
    assert [r.date for r in found.records] == ["", "2012-05-06", ""]
    assert found.notes == (
        "1 of 2 cells of examination_date in sessions.tsv are no dates (first: "
        "'baseline')",
    )
