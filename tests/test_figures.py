from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib import image as pictures
from matplotlib.figure import Figure
from toy_evaluation import CONFIG, evaluation, slices

from pet_dcgan.evaluation import closest_sheet
from pet_dcgan.evaluation.copy_scores import ClosestPairs
from pet_dcgan.evaluation.figures import FigureData, save_figures
from pet_dcgan.evaluation.pair_scores import real_pairs
from pet_dcgan.evaluation.region_scores import region_scores
from pet_dcgan.evaluation.set_scores import intensity_scores, texture_scores

LOG = "epoch,g_loss\n1,0.5\n2,0.4\n"


def closest(shown, suspects=0):
    """So many pairs of grey images, of so many suspects."""
    pairs = (np.full([shown, 16, 16], value) for value in (1.0, 1.25))
    return ClosestPairs(*pairs, suspects)


def figure_data(subjects, *, closest=None):
    """Of images that are 0.1 SUVR above their nearest real one."""
    rng = np.random.default_rng(0)
    pixels = rng.uniform(0.2, 2.2, [subjects * 5, 16, 16])
    real = slices(subjects, 5)._replace(images=pixels)
    images = evaluation(real, np.roll(pixels, 5, axis=0) + 0.1)
    pairs = real_pairs(images)
    return FigureData(
        pairs=pairs,
        closest=closest,
        histograms=intensity_scores(images)[1],
        spectra=texture_scores(images)[1],
        regions=region_scores(images, pairs)[1],
    )


def save(folder, data, rendered=None):
    """What `save_figures` returns, and by file all texts and the figure.

    With `rendered`, all other files are empty, which saves seconds.
    """
    folder.mkdir(exist_ok=True)
    run = SimpleNamespace(path=folder.parent, config=CONFIG)
    drawn = {}
    savefig = Figure.savefig

    def remember(figure, path, **options):
        name = path.name.split(".")[2]
        if rendered is None or name in rendered:
            savefig(figure, path, **options)
        else:
            path.touch()
        found = figure.findobj(match=lambda a: hasattr(a, "get_text"))
        drawn[name] = {text.get_text() for text in found}, figure

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Figure, "savefig", remember)
        return save_figures(folder, run, data), drawn


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """All figures of two subjects: folder, captions, texts and figures."""
    folder = tmp_path_factory.mktemp("figures") / "evaluation"
    (folder.parent / "log.csv").write_text(LOG)
    data = figure_data(2, closest=closest(4))
    return folder, data, *save(folder, data)


@pytest.mark.parametrize(
    ("shown", "suspects", "title", "words"),
    [
        (8, 0, "Closest to a copy", "No image is suspected to be a copy."),
        (1, 1, "Suspected copies", "Every suspect, above the training image"),
        (48, 48, "Suspected copies", "Every suspect, "),
        (48, 1049, "Suspected copies", "48 of 1,049 suspects, "),
    ],
)
def test_the_caption_says_how_many_suspects_there_are(
    shown, suspects, title, words
):
    found, caption = closest_sheet._closest_words(closest(shown, suspects))
    assert found == title
    assert caption.startswith(words)
    assert ("1,001 more are not shown" in caption) == (suspects == 1049)


def test_each_row_of_suspects_lies_above_the_row_of_its_sources():
    rows = closest_sheet._closest_rows(closest(19, 19))
    assert [label for label, _ in rows] == ["synthetic", "nearest training"] * 3
    assert [len(images) for _, images in rows] == [8, 8, 8, 8, 3, 3]
    assert {float(images.max()) for _, images in rows[1::2]} == {1.25}


def test_every_figure_names_the_run_and_says_phantom(saved):
    folder, _, captions, drawn = saved
    assert {name.removesuffix(".png") for name in captions} == set(drawn)
    assert {path.name for path in folder.iterdir()} == set(captions)
    for texts, _ in drawn.values():
        (title,) = (text for text in texts if text.startswith("AD axial"))
        assert title.startswith("AD axial, demo: ")
        assert title.endswith(" (phantom)")


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("real_and_synthetic", {"real, held out", "synthetic"}),
        ("nearest", {"synthetic", "nearest real", "difference"}),
        ("closest", {"synthetic", "nearest training"}),
        ("training", {"loss", "generator", "kept"}),
        (
            "histograms",
            {"SUVR of the real image", "SUVR of the synthetic image"},
        ),
        (
            "intensities",
            {"mean-scaled SUVR", "synthetic", "held-out real (test)"},
        ),
        ("spectrum", {"Nyquist", "cycles per mm", "power (SUVR²)"}),
        ("regions", {"front\nleft", "centre", "synthetic: mean ± SD"}),
        ("agreement", {"front left", "real vs. real: 95 % limits"}),
    ],
)
def test_what_is_drawn_has_its_name(saved, name, texts):
    assert texts <= saved[3][name][0]


def test_the_numbers_drawn_are_those_given(saved):
    _, data, _, drawn = saved
    line, kept = drawn["training"][1].axes[0].get_lines()
    assert line.get_xydata().tolist() == [[1.0, 0.5], [2.0, 0.4]]
    assert kept.get_xdata() == [1, 1]
    points = drawn["agreement"][1].axes[0].collections[1].get_offsets()
    agreement = data.regions.differences["synthetic"]
    np.testing.assert_allclose(points[:, 1], agreement.differences[:, 0])
    np.testing.assert_allclose(points[:, 0], agreement.averages[:, 0])
    nyquist = drawn["spectrum"][1].axes[0].get_lines()[-1]
    assert nyquist.get_xdata()[0] == pytest.approx(1 / 12)


def test_the_typical_pair_is_drawn(saved):
    _, data, _, drawn = saved
    shown = [
        axes.images[0].get_array()
        for axes in drawn["histograms"][1].axes
        if axes.get_title(loc="center").endswith("image")
    ]
    for kind, images in (("real", shown[:2]), ("synthetic", shown[2:])):
        for found, wanted in zip(
            images, data.pairs[kind].typical(), strict=True
        ):
            np.testing.assert_array_equal(found, wanted)


def test_a_difference_is_drawn_from_grey(saved):
    picture = pictures.imread(saved[0] / "nearest.png")[..., :3]
    row = picture[-60, 200:900].mean()
    assert row == pytest.approx((1.25 + 0.1) / 2.5, abs=0.02)


def test_without_pairs_copies_or_logs(saved, tmp_path):
    folder = tmp_path / "evaluation"
    folder.mkdir()
    captions, drawn = save(folder, figure_data(1), rendered=())
    assert {p.name for p in folder.iterdir()} == set(captions)
    assert set(saved[2]) - set(captions) == {"closest.png", "training.png"}
    assert "held-out images of\none subject only" in drawn["histograms"][0]
    assert "real vs. real" not in drawn["agreement"][0]


@pytest.mark.parametrize(
    "again",
    [
        {"nearest", "intensities"},
        pytest.param(None, marks=pytest.mark.slow, id="all"),
    ],
)
def test_the_same_figures_have_the_same_bytes(saved, tmp_path, again):
    folder, data, *_ = saved
    (tmp_path / "log.csv").write_text(LOG)
    save(tmp_path / "again", data, rendered=again)
    for path in folder.iterdir():
        content = path.read_bytes()
        assert b"Software" not in content
        if again is None or path.stem in again:
            assert content == (tmp_path / "again" / path.name).read_bytes()
