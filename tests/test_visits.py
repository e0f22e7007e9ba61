import itertools

import pytest
from adni_tables import verdict

from tfds_adni.cohort.visits import (
    ANOTHER_LEVEL,
    LATER_VISIT,
    NEWER_IMAGE,
    UNPLACED,
    keep_one_scan_per_visit,
)
from tfds_adni.sources.descriptions import LEVELS


def scan(image_id, date, visit="", level="uniform_8mm", **known):
    return verdict(
        image_id=str(image_id), date=date, visit=visit, level=level, **known
    )


def decide(*scans, visits="all", levels=LEVELS):
    """Reasons by image id, whatever the order of the scans."""
    found = {
        tuple(
            sorted(
                (v.record.image_id, v.reason)
                for v in keep_one_scan_per_visit(order, levels, visits)
            )
        )
        for order in itertools.permutations(scans)
    }
    assert len(found) == 1, found
    return dict(found.pop())


@pytest.mark.parametrize(
    ("one", "other", "visits"),
    [
        # the same day, whatever the codes
        (("2012-05-05", "bl"), ("2012-05-05", "sc"), 1),
        (("2012-05-05", ""), ("2012-05-05", ""), 1),
        # a code counts as far as a visit can last
        (("2012-05-05", "bl"), ("2012-05-08", "bl"), 1),
        (("2012-05-05", "bl"), ("2012-08-03", "bl"), 1),
        (("2012-05-05", "bl"), ("2012-08-04", "bl"), 2),
        (("2012-05-05", "sc"), ("2012-05-15", "bl"), 2),
        (("2012-05-05", "M000"), ("2012-05-15", "bl"), 1),
        # without codes, days
        (("2012-05-05", ""), ("2012-06-04", ""), 1),
        (("2012-05-05", ""), ("2012-06-05", ""), 2),
        (("2012-05-05", "bl"), ("2012-05-08", ""), 1),
        (("2012-05-05", "bl"), ("2012-11-05", ""), 2),
        # without dates, codes
        (("", "bl"), ("", "bl"), 1),
        (("", "bl"), ("", "m12"), 2),
        (("2012-05-05", "bl"), ("", "bl"), 1),
        (("2012-05-05", "bl"), ("", "m12"), 2),
    ],
)
def test_what_is_one_visit(one, other, visits):
    reasons = decide(scan(1, *one), scan(2, *other))
    assert list(reasons.values()).count("") == visits
    if visits == 1:
        assert reasons["1"] == NEWER_IMAGE


def test_best_level_then_newest_image():
    day = "2012-05-05"
    reasons = decide(
        scan(900, day, level="averaged"),
        scan(99, day),
        scan(100, day),
        scan(1000, day, level="raw"),
    )
    assert reasons == {
        "900": ANOTHER_LEVEL,
        "99": NEWER_IMAGE,
        "100": "",
        "1000": ANOTHER_LEVEL,
    }


def test_levels_in_the_order_asked_for():
    day = "2012-05-05"
    scans = [scan(1, day), scan(2, day, level="raw")]
    reasons = decide(*scans, levels=("raw", "uniform_8mm"))
    assert reasons == {"1": ANOTHER_LEVEL, "2": ""}


def test_names_as_image_ids():
    scans = [scan(f"sub-1_run-{n}_pet", "2012-05-05") for n in (1, 2)]
    reasons = decide(*scans)
    assert reasons == {"sub-1_run-1_pet": NEWER_IMAGE, "sub-1_run-2_pet": ""}


def test_baseline_is_the_earliest_visit():
    scans = [
        scan(3, "2012-05-05", "bl"),
        scan(2, "2013-05-05", "m12"),
        scan(1, "2014-05-05", "m24"),
    ]
    reasons = decide(*scans, visits="baseline")
    assert reasons == {"3": "", "2": LATER_VISIT, "1": LATER_VISIT}
    assert set(decide(*scans).values()) == {""}


def test_codes_tell_the_order_where_a_date_is_missing():
    scans = [scan(1, "2013-05-05", "m12"), scan(2, "", "bl")]
    reasons = decide(*scans, visits="baseline")
    assert reasons == {"1": LATER_VISIT, "2": ""}
    scans = [scan(1, "2013-05-05", "v11"), scan(2, "", "v02")]
    reasons = decide(*scans, visits="baseline")
    assert reasons == {"1": "", "2": LATER_VISIT}


def test_undated_scan_belongs_to_the_first_visit_of_its_code():
    scans = [
        scan(3, "2012-05-05", "1"),
        scan(2, "2015-05-05", "1"),
        scan(1, "", "1", level="raw"),
    ]
    assert decide(*scans) == {"3": "", "2": "", "1": ANOTHER_LEVEL}


@pytest.mark.parametrize("unknown", [("", ""), ("", "m12")])
def test_what_may_be_another_level_of_a_scan_is_not_used(unknown):
    scans = [scan(1, "2012-05-05"), scan(2, *unknown, level="raw")]
    assert decide(*scans) == {"1": "", "2": UNPLACED}
    assert decide(*scans, visits="baseline")["2"] == LATER_VISIT


def test_scans_with_neither_date_nor_code_are_one_visit():
    assert decide(scan(1, ""), scan(2, "")) == {"1": NEWER_IMAGE, "2": ""}


def test_subjects_and_scans_with_a_reason_are_left_alone():
    day = "2012-05-05"
    reasons = decide(
        scan(1, day),
        scan(2, day, subject="999_S_9002"),
        scan(3, day, reason="broken"),
        visits="baseline",
    )
    assert reasons == {"1": "", "2": "", "3": "broken"}
