"""Dates of a column: each spelling by hand, and random columns of all."""

import datetime
import random

import pytest

from tfds_adni.tables.date_orders import near
from tfds_adni.tables.date_spellings import readings
from tfds_adni.tables.dates import (
    DateOrderError,
    read_column,
    read_columns,
    row_date,
)

DAY = datetime.date(2016, 2, 11)
MONTHS = [
    "Jan",
    "Feb",
    "Mar",
    "Apr",
    "May",
    "Jun",
    "Jul",
    "Aug",
    "Sep",
    "Oct",
    "Nov",
    "Dec",
]


def column(*texts, **options):
    return read_column(texts, "EXAMDATE in D.csv", **options)


@pytest.mark.parametrize(
    "text",
    [
        *("2016-02-11", "2016/02/11", "2016/2/11", "2016.02.11", "20160211"),
        *("2016-02-11T09:30", "2016-02-11 00:00:00.0", "20160211093000"),
        *("11-Feb-16", "11-FEB-2016", "11 Feb 2016", "11. February 2016"),
        *("11feb2016", "Feb 11, 2016", "February 11 2016", "feb. 11, 16"),
        *("Thursday, February 11, 2016", "11 Feb 2016 09:30", " 2016-02-11 "),
        *("42411", "42411.39", "42411,39"),
        *("11.02.2016", "11.2.16", "11. 2. 2016", "11.02.2016 09:30"),
    ],
)
def test_spellings_of_one_day(text):
    assert column(text).read(text) == DAY


@pytest.mark.parametrize(
    "text",
    [
        *("31/31/2015", "2/30/2016", "2016-13-01", "11-Fev-16", "Febtober 1"),
        *("71", "900015", "20161311", "32873", "55154", "2016", "09:30:00"),
        *("2/11/20167", "2/11", "5/5/2", "0/0/2016", "2016-02-11 about"),
        "1/1/69",  # 2069: not yet
    ],
)
def test_cells_that_are_no_dates(text):
    assert {d for o, d in readings(text).items() if o != "ydm"} == set()


def test_years_of_two_digits_are_from_1970_on():
    one = column("2/25/70", "2/25/05", "1/31/99")
    years = [one.read(text).year for text in ("2/25/70", "2/25/05", "1/31/99")]
    assert years == [1970, 2005, 1999]


@pytest.mark.parametrize(
    ("texts", "order"),
    [
        (("2/11/2016", "2/25/2016"), "mdy"),
        (("2/11/2016", "25/2/2016"), "dmy"),
        (("2-11-2016", "25-2-2016"), "dmy"),
        (("2/11/16", "2/25/16"), "mdy"),
        (("2/11/16", "28/2/16"), "dmy"),  # 2028 was not yet
        (("02.11.2016", "03.11.2016"), "dmy"),  # the habit with dots
        (("02.11.2016", "02.25.2016"), "mdy"),  # but not against a proof
        # what a spreadsheet set to dots makes of month-first dates
        (("02.11.2016", "2/25/2016"), "mdy"),
        (("16-02-11", "16-02-31"), ""),
        (("16-02-11", "16-01-31", "16-01-30"), "ymd"),
    ],
)
def test_a_column_proves_its_order(texts, order):
    found = column(*texts)
    assert found.order == order
    if order:
        orders = {"dmy": 2, "mdy": 11, "ymd": 11}
        assert found.read(texts[0]).day == orders[order]
        assert found.problem == ""


@pytest.mark.parametrize("option", ["dmy", "mdy"])
def test_an_option_decides_what_nothing_proves(option):
    found = column("2/11/2016", "3/4/2016", order=option)
    assert found.read("2/11/2016").day == {"dmy": 2, "mdy": 11}[option]
    proved = column("2/11/2016", "2/25/2016", order="dmy")
    assert proved.order == "mdy"  # a proof goes first


def test_an_undecided_column_is_refused_in_words():
    found = column("2/11/2016", "3/4/2016", "5/5/2016")
    assert found.read("2/11/2016") is None
    assert found.read("5/5/2016") == datetime.date(2016, 5, 5)
    assert found.refuses("2/11/2016")
    (line,) = found.notes
    assert "EXAMDATE in D.csv" in line
    assert "'2/11/2016' and '3/4/2016'" in line
    assert "--date-order mdy" in line
    with pytest.raises(DateOrderError, match="--date-order"):
        row_date({"EXAMDATE": "2/11/2016"}, {"EXAMDATE": found})


def test_an_order_that_does_not_matter_is_no_problem():
    found = column("5/5/2016", "6/6/2016", "2016-02-11")
    assert (found.problem, found.notes) == ("", ())
    assert found.read("6/6/2016") == datetime.date(2016, 6, 6)


def test_proofs_of_both_orders_contradict_each_other():
    found = column("25/2/2016", "2/25/2016", "2/3/2016")
    assert not any(map(found.read, ("25/2/2016", "2/25/2016", "2/3/2016")))
    assert "'25/2/2016' and '2/25/2016'" in found.problem
    forced = column("25/2/2016", "2/25/2016", "2/3/2016", order="mdy")
    assert forced.read("2/3/2016") == datetime.date(2016, 2, 3)
    assert forced.unread == {"25/2/2016": 1}


@pytest.mark.parametrize("spelt", ["2016-11-02", "42676", "02-Nov-16"])
def test_a_column_that_a_spreadsheet_turned_in_part_is_refused(spelt):
    found = column(spelt, "2/25/2016", "2/14/2016")
    assert "days for months" in found.problem
    assert found.refuses(spelt)
    # a single day above 12 or an ambiguous cell shows that it did not
    assert not column(spelt, "2/25/2016", "2016-11-13").problem
    assert not column(spelt, "2/25/2016", "2/1/2016").problem
    assert not column(
        spelt, "2/25/2016", known=[(spelt, datetime.date(2016, 11, 2))]
    ).problem


def test_the_day_before_the_month_behind_the_year():
    found = column("2016-25-02", "2016-02-03")
    assert found.read("2016-02-03") is None
    assert "year first and then the day" in found.problem
    # a slip among good ones is named
    slip = column("2016-25-02", "2016-02-25", "2016-02-26")
    assert (slip.problem, slip.unread) == ("", {"2016-25-02": 1})


def test_known_dates_decide():
    day, month = datetime.date(2016, 11, 2), datetime.date(2016, 2, 11)
    for date, order in ((day, "dmy"), (month, "mdy")):
        close = date + datetime.timedelta(1)
        found = column("2/11/2016", "5/5/2016", known=[("2/11/2016", close)])
        assert found.order == order
        assert found.read("2/11/2016") == date
    assert column(
        "2/11/2016", known=[("2/11/2016", DAY.replace(day=20))]
    ).problem
    assert near(DAY, DAY.replace(day=12))
    assert not near(DAY, DAY.replace(day=13))


def test_another_column_of_the_table_decides():
    rows = [
        {"EXAMDATE": "2/11/2016", "USERDATE": "2/25/2016"},
        {"EXAMDATE": "3/4/2016", "USERDATE": "2/26/2016"},
    ]
    columns = read_columns(rows, ("EXAMDATE", "USERDATE"), "D.csv")
    assert columns["EXAMDATE"].read("2/11/2016") == DAY
    assert row_date(rows[1], columns) == datetime.date(2016, 3, 4)
    assert row_date({"EXAMDATE": "-4"}, columns) is None


def test_cells_that_do_not_parse_are_named_and_gaps_are_not():
    found = column("2/25/2016", "31/31/2015", "soon", "soon", "-4", "", "n/a")
    (line,) = found.notes
    assert line == (
        "3 of 4 cells of EXAMDATE in D.csv are no dates (first: '31/31/2015', "
        "'soon')"
    )
    none = column("11 mars 2016", "12 mars 2016")
    (line,) = none.notes
    assert line.startswith("dates not understood: none of the 2 cells of EXAM")
    assert none.missed == "EXAMDATE in D.csv"
    assert column("-4").missed == column("-4").problem == ""
    assert "{0}" in column("25/2/2016", "2/25/2016", "{0}").notes[1]


# --- random columns -----------------------------------------------------------


def _serial(day):
    return str((day - datetime.date(1899, 12, 30)).days)


SPELLINGS = {
    "iso": lambda d: d.isoformat(),
    "iso time": lambda d: f"{d}T09:30",
    "slashes": lambda d: f"{d:%Y/%m/%d}",
    "compact": lambda d: f"{d:%Y%m%d}",
    "mdy": lambda d: f"{d.month}/{d.day}/{d.year}",
    "mdy padded": lambda d: f"{d.month:02}/{d.day:02}/{d.year} 0:00",
    "mdy short": lambda d: f"{d.month}/{d.day}/{d.year % 100:02}",
    "dmy": lambda d: f"{d.day:02}/{d.month:02}/{d.year}",
    "dmy dashes": lambda d: f"{d.day:02}-{d.month:02}-{d.year}",
    "dmy short": lambda d: f"{d.day:02}/{d.month:02}/{d.year % 100:02}",
    "ymd short": lambda d: f"{d.year % 100:02}-{d.month:02}-{d.day:02}",
    "ydm": lambda d: f"{d.year}-{d.day:02}-{d.month:02}",
    "dots": lambda d: f"{d.day}.{d.month}.{d.year}",
    "dots short": lambda d: f"{d.day:02}.{d.month:02}.{d.year % 100:02}",
    "name": lambda d: f"{d.day:02}-{MONTHS[d.month - 1]}-{d.year % 100:02}",
    "name first": lambda d: f"{MONTHS[d.month - 1]} {d.day}, {d.year}",
    "serial": _serial,
}
# A spreadsheet of another country opens a column: what it takes for dates it
# spells anew, the rest stays text.
TURNED = {
    f"{own} opened as {other}, {new}": (own, other, new)
    for own, other in (("mdy", "dmy"), ("dmy", "mdy"))
    for new in ("iso", "serial", "name")
}


def _spell(name, day):
    if name not in TURNED:
        return SPELLINGS[name](day)
    own, _, new = TURNED[name]
    if day.day > 12:
        return SPELLINGS[own](day)
    return SPELLINGS[new](day.replace(month=day.day, day=day.month))


@pytest.mark.parametrize("name", [*SPELLINGS, *TURNED])
def test_a_random_column_is_right_or_refused(name):
    """Never another date, in columns of 1 to 40 random days."""
    rng = random.Random(name)
    first = datetime.date(2004, 6, 1)
    refused = 0
    for _ in range(300):
        days = [
            first + datetime.timedelta(rng.randrange(20 * 365))
            for _ in range(rng.choice((1, 2, 3, 5, 10, 40)))
        ]
        texts = [_spell(name, day) for day in days]
        found = column(*texts, "", "-4")
        if found.problem:
            refused += 1
            continue
        # Too few rows for a spreadsheet's own spelling to be noticed.
        if name in TURNED and len({day.day > 12 for day in days}) == 1:
            continue
        if name == "ydm" and all(day.day <= 12 for day in days):
            continue
        read = [found.read(text) for text in texts]
        assert read == days, (texts, found)
    unambiguous = {"iso", "slashes", "compact", "dots", "name", "serial"}
    assert (refused == 0) or name not in unambiguous


@pytest.mark.parametrize("name", ["mdy", "dmy", "mdy short", "dmy short"])
def test_columns_of_forty_are_decided(name):
    rng = random.Random(name)
    first = datetime.date(2006, 1, 1)
    for _ in range(100):
        days = [
            first + datetime.timedelta(rng.randrange(3000)) for _ in range(40)
        ]
        found = column(*(SPELLINGS[name](day) for day in days))
        assert (found.order, found.problem) == (name[:3], "")
