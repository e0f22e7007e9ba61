"""Which scans belong to one visit, and which of them is used."""

import itertools

import pytest
from adni_tables import verdict

from tfds_adni.cohort.visits import (
    ANOTHER_IMAGE,
    ANOTHER_LEVEL,
    ANOTHER_SESSION,
    LATER_VISIT,
    NEWER_IMAGE,
    UNPLACED,
    keep_one_scan_per_visit,
)
from tfds_adni.sources.record import LEVELS

DAY = "2012-05-05"


def scan(image_id, date=DAY, visit="", level="uniform_8mm", **known):
    return verdict(
        image_id=str(image_id), date=date, visit=visit, level=level, **known
    )


def decide(*scans, visits="all", levels=LEVELS):
    """Reasons by image id, whatever the order of the scans."""
    found = []
    for order in itertools.permutations(scans):
        kept = keep_one_scan_per_visit(order, levels, visits)
        found.append({d.record.image_id: d.reason for d in kept})
    assert all(one == found[0] for one in found)
    return found[0]


@pytest.mark.parametrize(
    ("one", "other", "visits"),
    [
        # the same day, whatever the codes
        ((DAY, "bl"), (DAY, "sc"), 1),
        ((DAY, ""), (DAY, ""), 1),
        # a day that an anonymiser gave to all of them
        (("1900-01-01", "1"), ("1900-01-01", "2"), 2),
        (("1900-01-01", "bl"), ("1900-01-01", "bl"), 1),
        (("1900-01-01", ""), ("1900-01-01", ""), 1),
        (("1901-01-01", "bl"), ("1902-01-01", "bl"), 2),
        # a code counts for as long as a visit can last
        ((DAY, "bl"), ("2012-08-03", "bl"), 1),
        ((DAY, "bl"), ("2012-08-04", "bl"), 2),
        ((DAY, "sc"), ("2012-05-15", "bl"), 2),
        ((DAY, "M000"), ("2012-05-15", "bl"), 1),
        # without codes, days
        ((DAY, ""), ("2012-06-04", ""), 1),
        ((DAY, ""), ("2012-06-05", ""), 2),
        ((DAY, "bl"), ("2012-06-04", ""), 1),
        ((DAY, "bl"), ("2012-06-05", ""), 2),
        # without dates, codes
        (("", ""), ("", ""), 1),
        (("", "bl"), ("", "bl"), 1),
        (("", "bl"), ("", "m12"), 2),
        ((DAY, "bl"), ("", "bl"), 1),
        ((DAY, "bl"), ("", "m12"), 2),
    ],
)
def test_what_is_one_visit(one, other, visits):
    reasons = decide(scan(1, *one), scan(2, *other))
    expected = (
        {"1": NEWER_IMAGE, "2": ""} if visits == 1 else {"1": "", "2": ""}
    )
    assert reasons == expected


def test_days_before_1970_order_visits_where_they_differ():
    shifted = [scan(1, "1902-03-04", "b"), scan(2, "1901-03-04", "a")]
    baseline = decide(*shifted, visits="baseline")
    assert baseline == {"1": LATER_VISIT, "2": ""}
    alike = [scan(1, "1900-01-01", "2"), scan(2, "1900-01-01", "10")]
    baseline = decide(*alike, visits="baseline")
    assert baseline == {"1": "", "2": LATER_VISIT}


def test_best_level_then_newest_image():
    scans = [
        scan(900, level="averaged"),
        scan(99),
        scan(100),
        scan(1000, level="raw"),
    ]
    another = dict.fromkeys(["900", "1000"], ANOTHER_LEVEL)
    assert decide(*scans) == another | {"99": NEWER_IMAGE, "100": ""}
    preferred = decide(*scans[1:], levels=("raw", "uniform_8mm"))
    assert preferred == {"99": ANOTHER_LEVEL, "100": ANOTHER_LEVEL, "1000": ""}


def named(name, **known):
    entities = dict(part.split("-") for part in name.split("_"))
    return scan(f"{name}_pet", entities=entities, **known)


def test_the_last_run_by_its_number():
    names = [f"sub-1_run-{n}" for n in (1, 9, 10)]
    reasons = decide(*map(named, names))
    assert list(reasons.values()).count("") == 1
    assert reasons["sub-1_run-10_pet"] == ""
    assert reasons["sub-1_run-9_pet"] == (
        "another run of the same visit is used: run-10"
    )


def test_the_task_that_most_subjects_have():
    scans = [named("sub-1_task-rest"), named("sub-1_task-zoo")]
    scans.append(named("sub-2_task-rest", subject="sub-2"))
    assert decide(*scans)["sub-1_task-zoo_pet"] == (
        "another task of the same visit is used: task-rest"
    )
    assert list(decide(*scans).values()).count("") == 2


def test_what_nothing_orders_is_not_called_newer():
    reasons = decide(named("sub-1_suvr-a"), named("sub-1_suvr-b"))
    assert reasons["sub-1_suvr-a_pet"] == f"{ANOTHER_IMAGE}: sub-1_suvr-b_pet"


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        ("2", "10", LATER_VISIT),
        ("d0129", "d1274", LATER_VISIT),
        ("baseline", "afterwards", LATER_VISIT),
        ("open", "closed", ANOTHER_SESSION),
    ],
)
def test_sessions_without_dates(first, second, reason):
    """Another subject has the first session alone."""
    scans = [scan(1, "", second), scan(2, "", first)]
    scans.append(scan(3, "", first, subject="sub-2"))
    reasons = decide(*scans, visits="baseline")
    assert reasons == {"1": reason, "2": "", "3": ""}


def test_baseline_is_the_earliest_visit():
    scans = [
        scan(3, DAY, "bl"),
        scan(2, "2013-05-05", "m12"),
        scan(1, "2014-05-05", "m24"),
    ]
    reasons = decide(*scans, visits="baseline")
    assert reasons == {"3": "", "2": LATER_VISIT, "1": LATER_VISIT}
    assert set(decide(*scans).values()) == {""}


@pytest.mark.parametrize(
    ("dated", "undated", "reasons"),
    [
        ("m12", "bl", {"1": LATER_VISIT, "2": ""}),
        # each phase of ADNI counts from v01
        ("v11", "v02", {"1": "", "2": ANOTHER_SESSION}),
    ],
)
def test_codes_give_the_order_where_a_date_is_missing(dated, undated, reasons):
    scans = [scan(1, "2013-05-05", dated), scan(2, "", undated)]
    assert decide(*scans, visits="baseline") == reasons


def test_undated_scan_belongs_to_the_first_visit_of_its_code():
    scans = [
        scan(3, DAY, "1"),
        scan(2, "2015-05-05", "1"),
        scan(1, "", "1", level="raw"),
    ]
    assert decide(*scans) == {"3": "", "2": "", "1": ANOTHER_LEVEL}


@pytest.mark.parametrize("unknown", ["", "m12"])
def test_what_may_be_another_level_of_a_scan_is_not_used(unknown):
    scans = [scan(1), scan(2, "", unknown, level="raw")]
    assert decide(*scans) == {"1": "", "2": UNPLACED}
    assert decide(*scans, visits="baseline")["2"] == ANOTHER_SESSION


def test_subjects_and_scans_with_a_reason_are_left_alone():
    other = scan(2, subject="999_S_9002")
    broken = scan(3, reason="broken")
    reasons = decide(scan(1), other, broken, visits="baseline")
    assert reasons == {"1": "", "2": "", "3": "broken"}
