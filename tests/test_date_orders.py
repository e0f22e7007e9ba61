"""Orders of dates that other dates of the same scans contradict."""

import datetime

from tfds_adni.tables.dates import read_column


def column(*texts, **options):
    return read_column(texts, "EXAMDATE in D.csv", **options)


def test_known_dates_that_contradict_a_proof():
    """One slip, 13/7, must not turn the dates that paths confirm."""
    months = {"5/6/2012": 5, "7/8/2012": 7, "3/4/2012": 3}
    known = [
        (text, datetime.date(2012, month, month + 1))
        for text, month in months.items()
    ]
    cells = (*months, "13/7/2012", "9/10/2012")
    found = column(*cells, known=known)
    assert found.read("9/10/2012") is None
    assert found.refuses("9/10/2012")
    assert "'13/7/2012' and '5/6/2012'" in found.problem
    assert column(*cells, known=known, order="mdy").read("9/10/2012").month == 9
    # as many that agree with the proof as contradict it
    proofs = [("13/7/2012", datetime.date(2012, 7, 13))] * 3
    assert column(*cells, known=known + proofs).order == "dmy"
    # in neither order: the scans differ, not the spelling
    other = [(text, datetime.date(2013, 1, 1)) for text in months]
    assert column(*cells, known=other).order == "dmy"


def test_an_order_of_the_user_that_a_proof_overrules_is_told():
    (line,) = column("2/11/2016", "2/25/2016", order="dmy").notes
    assert line.startswith("--date-order dmy is not used for EXAMDATE in D.csv")
    assert line.endswith("show mdy")
    assert column("2/11/2016", "2/25/2016", order="mdy").notes == ()
    assert column("2016-02-11", order="dmy").notes == ()
