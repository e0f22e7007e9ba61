import importlib.util
import sys
import types
from pathlib import Path

import pytest
from pages import ROOT

import tfds_adni
from tfds_adni import sources


@pytest.fixture
def script():
    spec = importlib.util.spec_from_file_location(
        "write_api", ROOT / "docs" / "write_api.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def lists(monkeypatch):
    """Restores what the packages list."""
    for package in (tfds_adni, sources):
        monkeypatch.setattr(package, "__all__", package.__all__)


def test_every_public_module_has_a_page(script):
    names = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(
            ".__init__"
        )
        for package in script.PACKAGES
        for path in ROOT.glob(f"{package}/**/*.py")
    }
    assert set(script.open_packages()) == {n for n in names if "._" not in n}
    assert {"Builder", "cohort", "sources"} <= set(tfds_adni.__all__)
    assert {"ScanRecord", "bids"} <= set(sources.__all__)
    assert isinstance(vars(tfds_adni)["Builder"], type)


def test_pdoc_gets_the_packages(script, monkeypatch, tmp_path):
    told = {}
    pdoc = types.ModuleType("pdoc")
    pdoc.Path = Path
    pdoc.render = types.SimpleNamespace(configure=told.update)
    pdoc.pdoc = lambda *names, **options: told.update(options, names=names)
    monkeypatch.setitem(sys.modules, "pdoc", pdoc)
    monkeypatch.setattr(script, "open_packages", lambda: told.update(open=1))
    script.write(str(tmp_path / "api"))
    assert told == {
        "open": 1,
        "names": script.PACKAGES,
        "docformat": "google",
        "output_directory": tmp_path / "api",
    }
