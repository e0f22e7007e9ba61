import pytest
from matplotlib.figure import Figure
from study_toy import make_summary

from pet_dcgan.study.report import _conclusions, _title, save_figure


@pytest.mark.parametrize(
    ("low", "high", "conclusion"),
    [
        (0.001, 0.1, "they helped"),
        *(((0.0, 0.1, "inconclusive"), (-0.001, 0.1, "inconclusive"))),
        *(((-0.1, 0.001, "inconclusive"), (-0.1, 0.0, "inconclusive"))),
        (-0.1, -0.001, "they made it worse"),
    ],
)
def test_an_interval_that_touches_0_is_inconclusive(low, high, conclusion):
    lines = _conclusions(make_summary(low=low, high=high))
    gains = [line for line in lines if "adding synthetic" in line]
    assert len(gains) == 2 * 3
    assert all(line.endswith(f": {conclusion}.") for line in gains)
    assert "+0.050 (95 % interval" in gains[0]


def test_arms_the_share_of_the_signal_and_the_reason_for_no_interval():
    text = " ".join(_conclusions(make_summary(low=None, high=None)))
    assert "25 % of the training subjects (1 NC, 1 AD): AUC real 0.800" in text
    assert "+0.050; an interval needs 8 or more" in text
    assert "At 25 % synthetic images alone kept 81 %" in text
    assert "At 100 % synthetic images alone" not in text
    assert "9 held-out subjects" in text


def test_phantoms_partial_studies_and_controls_are_named():
    plain = make_summary(phantom=False)
    assert not any(
        line.startswith(("Phantom", "Partial", "Control"))
        for line in _conclusions(plain)
    )
    title = "NC against AD; axial; 9 held-out subjects; seeds: 2"
    assert _title(plain) == title
    marked = make_summary(complete=False)
    marked["settings"]["shuffle_labels"] = True
    lines = _conclusions(marked)
    assert lines[0].startswith("Phantom")
    assert lines[1].startswith("Partial: 7 of 16")
    assert lines[2].startswith("Control")
    assert _title(marked) == (
        "PHANTOM, no patients; PARTIAL (7 of 16 classifiers); CONTROL, "
        f"shuffled labels; {title}"
    )


def test_a_study_without_predictions_has_conclusions():
    empty = make_summary(arms=[], differences=[], kept_signal=[])
    assert len(_conclusions(empty)) == 2


def test_the_figure_draws_every_interval_there_is(tmp_path, monkeypatch):
    figures = []

    def savefig(self, path, **options):
        figures.append(self)
        path.touch()

    monkeypatch.setattr(Figure, "savefig", savefig)
    for summary in (make_summary(), make_summary(low=None, high=None)):
        save_figure(tmp_path / "a.png", summary)
    counts = [[len(axes.lines) for axes in each.axes] for each in figures]
    # a line of chance or of 0; of four arms and two fractions the classifiers,
    # means and intervals; of three arms the differences and their intervals
    assert counts == [[1 + 24] * 3 + [1 + 12] * 3, [1 + 24] * 3 + [1 + 6] * 3]
