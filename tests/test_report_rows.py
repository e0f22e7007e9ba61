import pytest

from pet_dcgan.evaluation.report_rows import Row, groups, metric_rows

SUMMARY = {"mean": 25.1234, "median": 25.0, "sd": 1.5, "n": 8}
METRICS = {
    "psnr": {
        "synthetic": {"nearest": SUMMARY, "random": SUMMARY},
        "real": None,
    },
    "ssim": {
        "synthetic": {"nearest": SUMMARY, "random": SUMMARY},
        "real": None,
    },
    "features": {
        "trained": {"kid": {"synthetic": {"value": 1.0}, "real": None}},
        "random": {"missing": "too few"},
        "other": {"kid": {}},
    },
    "bands": {"synthetic": {"top": {}, "bottom": {}}},
    "copies": {"twins": 0.25, "held_out_twins": 0.0},
}


@pytest.mark.parametrize(
    ("row", "synthetic", "real"),
    [
        (Row("a", "psnr.*.nearest"), SUMMARY, None),
        (Row("a", "features.trained.kid.*"), {"value": 1.0}, None),
        (Row("a", "psnr.*.nearest.mean.deeper"), None, None),
        (
            Row("a", "copies.twins", real_path="copies.held_out_twins"),
            0.25,
            0.0,
        ),
        (Row("a", "copies.twins", real_path="-"), 0.25, None),
    ],
)
def test_numbers_by_their_path(row, synthetic, real):
    assert row.number(METRICS, "synthetic") == synthetic
    assert row.number(METRICS, "real") == real


def test_groups_of_what_was_measured():
    found = groups(METRICS)
    titles = [group.title for group in found]
    assert sum("All images together" in title for title in titles) == 2
    assert "by other" in titles[2]
    assert not any("random convolutions" in title for title in titles)
    labels = [row.label for group in found for row in group.rows]
    assert "Uptake difference, bottom" in labels
    assert "Uptake difference, front" not in labels


def test_the_paper_is_quoted_for_its_two_metrics_only():
    rows = [row for group in groups(METRICS) for row in group.rows]
    quoted = {row.label.split(",")[0] for row in rows if row.paper}
    assert quoted == {"PSNR", "SSIM (whole image)"}


def test_rows_of_the_console():
    columns, rows = metric_rows({"AD": METRICS})
    assert len(columns) == 6
    assert rows[0] == ["AD synthetic", "8", "25.12", "25.12", *["25.123"] * 2]
    assert rows[1] == ["AD real (of other subjects)", "0", *["-"] * 4]
