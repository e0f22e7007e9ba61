"""The first lines of docs/python.md, on a small data set."""

import shutil

import matplotlib as mpl
import pytest
from matplotlib import pyplot
from pages import ROOT, blocks_of
from toy_model import SMALL

from pet_dcgan.presets import LEAST_STEPS, PRESETS


@pytest.fixture
def code(toy_set, tmp_path, monkeypatch):
    """The first block; the set and the preset that it names are small."""
    sets = tmp_path / "data" / "adni"
    shutil.copytree(toy_set / "adni" / "axial_32", sets / "axial_64")
    monkeypatch.setitem(PRESETS, "demo", PRESETS["demo"] | SMALL)
    monkeypatch.delitem(LEAST_STEPS, "demo")
    monkeypatch.chdir(tmp_path)
    blocks = blocks_of(ROOT / "docs" / "python.md")
    return next(block.text for block in blocks if block.language == "python")


def test_at_most_eight_lines_from_import_to_a_trained_model(code):
    lines = [line for line in code.splitlines() if line]
    assert lines[0].startswith("import ")
    *trained, shown = lines
    assert trained[-1].startswith("model.fit(")
    assert len(trained) <= 8
    assert shown == "pd.plot_samples(model)"


def test_they_train_and_show_images(code):
    found = {}
    with mpl.rc_context({"backend": "agg"}):
        exec(compile(code, "docs/python.md", "exec"), found)
        (figure,) = map(pyplot.figure, pyplot.get_fignums())
        pyplot.close("all")
    assert figure.texts[0].get_text() == "AD axial, synthetic (phantom)"
    history = found["model"].history.history
    assert {len(values) for values in history.values()} == {2}
    assert {"d_loss", "g_loss"} <= set(history)
