import matplotlib.image
import pytest
from study_summary import make_summary

from pet_dcgan.study import figure
from pet_dcgan.study.figure import save_figure


def test_the_same_summary_gives_the_same_bytes(tmp_path):
    for name in ("a.png", "b.png"):
        save_figure(tmp_path / name, make_summary())
    picture = (tmp_path / "a.png").read_bytes()
    assert picture == (tmp_path / "b.png").read_bytes()
    assert matplotlib.image.imread(tmp_path / "a.png").shape[:2] == (660, 1100)


def test_other_numbers_give_another_picture(tmp_path):
    save_figure(tmp_path / "a.png", make_summary())
    save_figure(tmp_path / "b.png", make_summary(high=0.3))
    save_figure(tmp_path / "c.png", make_summary(low=None, high=None))
    pictures = {path.read_bytes() for path in tmp_path.iterdir()}
    assert len(pictures) == 3


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "PHANTOM, no patients; NC against AD; axial"),
        ({"complete": False}, "PARTIAL (7 of 16 classifiers)"),
    ],
)
def test_the_title_says_what_it_must(changes, said):
    assert said in figure._title(make_summary(**changes))


def test_the_title_of_a_control_and_of_patients():
    summary = make_summary(phantom=False)
    summary["settings"]["shuffle_labels"] = True
    title = figure._title(summary)
    assert title.startswith("CONTROL")
    assert "9 held-out subjects; seeds: 2" in title
