import numpy as np
import pytest
from matplotlib import image as pictures
from matplotlib.figure import Figure

from pet_dcgan.evaluation.feature_scores import Closest
from pet_dcgan.evaluation.figures import save_closest, save_nearest
from pet_dcgan.evaluation.image_scores import BandMeans
from pet_dcgan.evaluation.pair_scores import pair_with_real
from pet_dcgan.evaluation.sample_figures import (
    save_bands,
    save_intensities,
    save_spectra,
)
from pet_dcgan.evaluation.training_curves import Curves, save_training_curves
from pet_dcgan.metrics.spectrum import radial_power_spectrum

LOG = {"epoch": [1.0, 2.0], "g_loss": [0.5, 0.4], "real_accuracy": [1.0, 0.9]}
LOOKS = {
    "epoch": [1.0, 2.0],
    "val_kid": [0.5, 0.25],
    "standard_error": [0.1, 0.1],
}


@pytest.fixture
def drawn(monkeypatch):
    """Every text of the figures that are saved."""
    texts = []
    save = Figure.savefig

    def remember(figure, *args, **options):
        save(figure, *args, **options)
        found = figure.findobj(match=lambda a: hasattr(a, "get_text"))
        texts.extend(text.get_text() for text in found)

    monkeypatch.setattr(Figure, "savefig", remember)
    return texts


@pytest.fixture
def config(tiny_config):
    return tiny_config()


def images(count, seed=0):
    return np.random.default_rng(seed).uniform(0, 2.5, [count, 32, 32])


def curves(log=None, selection=None, health=None):
    return Curves(log or {}, selection or {}, health or {})


def test_curves_of_what_there_is(tmp_path, config, drawn):
    path = tmp_path / "a.png"
    assert save_training_curves(path, curves(LOG, LOOKS), config, kept=2)
    assert {"loss", "recognised by D", "KID, validation"} <= set(drawn)
    assert "health" not in drawn
    assert any("(phantom)" in text for text in drawn)
    assert {"generator", "KID ± standard error", "kept"} <= set(drawn)


def test_curves_are_the_numbers_of_the_log(tmp_path, config, monkeypatch):
    lines = []
    save = Figure.savefig

    def remember(figure, *args, **options):
        save(figure, *args, **options)
        lines.extend(figure.axes[0].get_lines())

    monkeypatch.setattr(Figure, "savefig", remember)
    save_training_curves(tmp_path / "a.png", curves(LOG), config, kept=1)
    assert lines[0].get_xydata().tolist() == [[1.0, 0.5], [2.0, 0.4]]
    assert lines[1].get_xdata() == [1, 1]


def test_no_curves_no_figure(tmp_path, config):
    assert not save_training_curves(
        tmp_path / "a.png", curves(), config, kept=1
    )
    assert not list(tmp_path.iterdir())


def test_figures_have_the_same_bytes_again(tmp_path, config):
    for name in ("a.png", "b.png"):
        save_training_curves(tmp_path / name, curves(LOG), config, kept=1)
    first, second = ((tmp_path / n).read_bytes() for n in ("a.png", "b.png"))
    assert first == second
    assert b"Software" not in first


def test_intensities_of_each_kind(tmp_path, config, drawn):
    shares = np.full([3, 16], 1 / 16)
    kinds = {"real": shares, "synthetic": shares}
    save_intensities(tmp_path / "a.png", kinds, config)
    assert {"SUVR", "synthetic", "held-out real (test)"} <= set(drawn)
    assert "other real subjects (validation)" not in drawn


def test_spectra_mark_the_nyquist_frequency(tmp_path, config, drawn):
    spectrum = radial_power_spectrum(images(3), spacing_mm=6.0)
    kinds = {"real": spectrum, "synthetic": spectrum, "others": spectrum}
    save_spectra(tmp_path / "a.png", kinds, config)
    assert {"Nyquist", "cycles per mm", "power (SUVR²)"} <= set(drawn)


def test_bands_by_the_names_of_the_plane(tmp_path, config, drawn):
    rng = np.random.default_rng(0)
    means = BandMeans(rng.normal(size=[8, 5]), rng.normal(size=[8, 5]))
    save_bands(tmp_path / "a.png", {"real": means, "synthetic": means}, config)
    assert {"front", "back", "left", "right", "centre"} <= set(drawn)
    assert "real beside real: 95 % limits" in drawn


def test_bands_without_real_pairs(tmp_path, config, drawn):
    means = BandMeans(np.ones([8, 5]), np.zeros([8, 5]))
    save_bands(tmp_path / "a.png", {"real": None, "synthetic": means}, config)
    assert "real beside real" not in drawn


def test_nearest_images_and_their_difference(tmp_path, config, drawn):
    real = images(10)
    pairs = pair_with_real(real + 0.1, real, seed=0)
    save_nearest(tmp_path / "a.png", pairs, config)
    assert {"synthetic", "nearest real", "difference"} <= set(drawn)
    picture = pictures.imread(tmp_path / "a.png")[..., :3]
    # the last row of tiles is mid-grey and a little
    row = picture[-60, 200:900].mean()
    assert row == pytest.approx((1.25 + 0.1) / 2.5, abs=0.02)


def test_closest_pairs(tmp_path, config, drawn):
    closest = Closest(images(4), images(4, 1), np.linspace(0.1, 0.9, 4))
    save_closest(tmp_path / "a.png", closest, config)
    assert {"synthetic", "nearest training"} <= set(drawn)
    title = "AD axial, demo: closest to one training subject (phantom)"
    assert title in drawn
