"""What is said and drawn of a study."""

import pytest
from matplotlib.figure import Figure
from study_toy import make_summary

from pet_dcgan.metrics import confidence
from pet_dcgan.study import words
from pet_dcgan.study.figure import _title, save_calibration, save_figure
from pet_dcgan.study.words import conclusions


def claims(**changes):
    """What is said of adding synthetic images, by fraction."""
    lines = conclusions(make_summary(**changes))
    return [line for line in lines if "adding synthetic" in line]


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.001, 0.1, "they helped."),
        *(((0.0, 0.1, "inconclusive"), (-0.001, 0.1, "inconclusive"))),
        *(((-0.1, 0.001, "inconclusive"), (-0.1, 0.0, "inconclusive"))),
        (-0.1, -0.001, "they harmed."),
    ],
)
def test_an_interval_that_touches_0_is_inconclusive(low, high, verdict):
    found = claims(low=low, high=high)
    assert len(found) == 2
    for line in found:
        start = f"AUC by +0.050 (95 % interval {low:+.3f} to {high:+.3f}): "
        assert start + verdict in line
        assert "0.170 would have been seen in 80 of 100" in line


def test_equivalence_is_said_where_it_was_tested():
    assert all(
        "): equivalent within 0.05." in line for line in claims(equivalent=True)
    )
    (line, _) = claims(low=0.001, high=0.04, equivalent=True)
    assert "): they helped, and equivalent within 0.05." in line


def test_synthetic_images_alone_are_better_or_worse():
    for low, high, verdict in ((0.01, 0.1, "better"), (-0.1, -0.01, "worse")):
        text = " ".join(conclusions(make_summary(low=low, high=high)))
        assert text.count(f"they were {verdict}") == 2


@pytest.mark.parametrize(("mean", "said"), [(0.83, False), (0.831, True)])
def test_a_gain_that_has_no_room_is_named(mean, said):
    # a difference of 0.170 can be seen
    summary = make_summary()
    for row in summary["arms"]:
        row["mean"] = mean
    found = [s for s in conclusions(summary) if "adding synthetic" in s]
    assert all(("No such gain is possible" in line) == said for line in found)


def test_a_study_that_can_see_nothing_says_so():
    for line in claims(detectable=None):
        assert "No change would have been seen in 80 of 100" in line
        assert "No such gain" not in line


def test_one_split_claims_nothing():
    summary = make_summary(low=None, high=None)
    summary["settings"]["splits"] = 1
    text = " ".join(conclusions(summary))
    assert "it is in this training" in text
    assert "by +0.050; an interval needs 8 or more subjects." in text
    assert "intervals are over the test subjects alone" in text
    for word in ("helped", "harmed", "equivalent", "have been seen"):
        assert word not in text
    assert "trained anew" in " ".join(conclusions(make_summary()))


def test_arms_calibration_sensitivity_and_what_varies():
    text = " ".join(conclusions(make_summary()))
    assert (
        "25 % of the training subjects (1 NC, 1 AD): AUC (with the interval "
        "at 95 %) real 0.800 (0.600 to 0.900), real+augmentation 0.800" in text
    )
    assert "equal probabilities have 0.50): real 0.800 (0.600 to 0.900)" in text
    assert "alone recognised 0.80 of 5 AD (95 % 0.60 to 0.90)." in text
    assert "2 splits of the subjects" in text
    assert "each of 9 subjects" in text
    assert "Of 18 differences" in text
    assert "sites" not in text
    assert "Generators: as good as they are." in text


def test_sites_that_are_kept_apart_are_named():
    summary = make_summary()
    summary["settings"]["by_site"] = True
    text = " ".join(conclusions(summary))
    assert "each of 3 sites with all its subjects" in text


def test_the_level_is_that_of_the_intervals(monkeypatch):
    assert f"{100 * confidence.LEVEL:.0f} %" == words._PERCENT
    monkeypatch.setattr(words, "_PERCENT", "90 %")
    text = " ".join(conclusions(make_summary()))
    assert "90 % interval" in text
    assert "95" not in text


def test_phantoms_partial_studies_and_controls_are_named():
    plain = make_summary(phantom=False)
    assert not any(
        line.startswith(("Phantom", "Partial", "Control"))
        for line in conclusions(plain)
    )
    title = "NC against AD; axial; tested on 4 NC, 5 AD; splits: 2; seeds: 1"
    assert _title(plain) == title
    marked = make_summary(complete=False, done=7)
    marked["settings"]["shuffle_labels"] = True
    lines = conclusions(marked)
    assert lines[0].startswith("Phantom")
    assert lines[1].startswith("Partial: 7 of 16")
    assert lines[2].startswith("Control")
    assert _title(marked) == (
        "PHANTOM, no patients; PARTIAL (7 of 16 classifiers); CONTROL, "
        f"shuffled labels; {title}"
    )


@pytest.fixture
def empty():
    tables = ("arms", "differences", "sensitivity", "calibration", "results")
    return make_summary(**{name: [] for name in tables})


def test_a_study_without_predictions_has_conclusions(empty, tmp_path):
    assert len(conclusions(empty)) == 4
    save_figure(tmp_path / "a.png", empty)
    save_calibration(tmp_path / "b.png", empty)


@pytest.fixture
def drawn(monkeypatch):
    """The figures that were saved."""
    figures = []

    def savefig(self, path, **options):
        figures.append(self)
        path.touch()

    monkeypatch.setattr(Figure, "savefig", savefig)
    return figures


def test_the_figure_draws_every_interval_there_is(tmp_path, drawn):
    for summary in (make_summary(), make_summary(low=None, high=None)):
        save_figure(tmp_path / "a.png", summary)
    counts = [[len(axes.lines) for axes in each.axes] for each in drawn]
    # a line of chance or of 0; of four arms and two fractions the classifiers,
    # means and intervals; of three arms the differences of the splits, their
    # means and intervals
    assert counts == [[1 + 24] * 3 + [1 + 18] * 3, [1 + 24] * 3 + [1 + 12] * 3]


def test_everything_drawn_is_within_the_axes(tmp_path, drawn):
    summary = make_summary(low=-0.4, high=0.3)
    summary["results"][0]["auc"] = 0.1
    save_figure(tmp_path / "a.png", summary)
    for axes in drawn[0].axes:
        low, high = axes.get_ylim()
        for line in axes.lines:
            assert low <= min(line.get_ydata())
            assert max(line.get_ydata()) <= high


def test_reliability_is_drawn_for_each_arm_and_fraction(tmp_path, drawn):
    save_calibration(tmp_path / "a.png", make_summary())
    (figure,) = drawn
    assert len(figure.axes) == 8
    for axes in figure.axes:
        diagonal, points = axes.lines
        assert list(diagonal.get_ydata()) == [0, 1]
        assert list(points.get_xdata()) == [0.7]
        assert list(points.get_ydata()) == [0.8]
        assert axes.get_title().endswith("Brier's score 0.800")
        assert [text.get_text() for text in axes.texts] == ["9"]
