import dataclasses

import numpy as np
import pytest
from matplotlib import image as pictures
from matplotlib.figure import Figure

from pet_dcgan.evaluation import sample_figures
from pet_dcgan.evaluation.pair_scores import pair_with_real
from pet_dcgan.evaluation.sample_figures import (
    save_histograms,
    save_real_and_synthetic,
)


@pytest.fixture
def pairs():
    random = np.random.default_rng(0)
    real, synthetic = random.uniform(0, 2.5, (2, 10, 16, 16))
    subjects = np.repeat(["a", "b"], 5)
    return {
        "real": pair_with_real(real, real, seed=0, subjects=subjects),
        "synthetic": pair_with_real(synthetic, real, seed=0),
    }


@pytest.fixture
def drawn(monkeypatch):
    """Every text of the figures that are saved."""
    texts = []
    save = Figure.savefig

    def remember(figure, *args, **options):
        save(figure, *args, **options)
        texts.extend(t.get_text() for t in figure.findobj(match=_is_text))

    monkeypatch.setattr(Figure, "savefig", remember)
    return texts


def _is_text(artist):
    return hasattr(artist, "get_text")


@pytest.mark.parametrize("phantom", [True, False])
def test_histograms_say_what_they_show(
    make_run, pairs, drawn, tmp_path, phantom
):
    config = make_run(phantom=phantom).config
    save_histograms(tmp_path / "a.png", pairs, config)
    assert pictures.imread(tmp_path / "a.png").shape[:2] == (700, 960)
    text = " ".join(drawn)
    assert "AD axial" in text
    assert ("phantom" in text) is phantom
    assert "SUVR of the real image" in text
    assert "SUVR of the synthetic image" in text
    assert "nearest real one\nof another subject" in text


def test_histogram_of_typical_pair_with_identity_line(
    make_run, pairs, tmp_path, monkeypatch
):
    seen = []
    original = sample_figures.joint_histogram

    def remember(x, y, **options):
        seen.append((x, y))
        return original(x, y, **options)

    monkeypatch.setattr(sample_figures, "joint_histogram", remember)
    config = make_run().config
    save_histograms(tmp_path / "a.png", pairs, config)
    for (image, partner), kind in zip(seen, ("real", "synthetic"), strict=True):
        rms = np.sqrt(((image - partner) ** 2).mean())
        middle = np.sort(pairs[kind].distances)[4]
        assert rms == pytest.approx(middle)


def test_histograms_without_real_pairs(make_run, pairs, drawn, tmp_path):
    config = make_run().config
    save_histograms(tmp_path / "a.png", pairs | {"real": None}, config)
    assert "held-out images of\none subject only" in drawn


def test_sheet_of_real_above_synthetic(make_run, pairs, drawn, tmp_path):
    config = make_run().config
    save_real_and_synthetic(tmp_path / "a.png", pairs["synthetic"], config)
    kinds = ("real, held out", "synthetic")
    labels = dict.fromkeys(text for text in drawn if text in kinds)
    assert tuple(labels) == kinds
    assert any("phantom" in text for text in drawn)


def test_sheet_takes_fewer_than_it_can_show(make_run, pairs, tmp_path):
    few = dataclasses.replace(
        pairs["synthetic"], images=pairs["synthetic"].images[:1]
    )
    save_real_and_synthetic(tmp_path / "a.png", few, make_run().config)
    assert (tmp_path / "a.png").stat().st_size > 1000
