"""The data set is registered with TFDS, whichever is imported first."""

import subprocess
import sys
from importlib.machinery import ModuleSpec

import pytest

from tfds_adni import registration

REGISTERED = """
assert tfds.builder_cls("adni").__module__ == "tfds_adni.adni_dataset_builder"
assert "axial_64" in tfds.builder_cls("adni").builder_configs
assert "tensorflow" not in sys.modules
assert not [f for f in sys.meta_path if type(f).__name__ == "_AfterTfds"]
"""
ORDERS = {
    "tfds_adni first": "import tfds_adni, tensorflow_datasets as tfds",
    "tfds first": "import tensorflow_datasets as tfds, tfds_adni",
    "a part of tfds_adni": """
import tfds_adni.cohort
import tensorflow_datasets as tfds""",
    "a part of tfds": """
import tfds_adni
from tensorflow_datasets.core import features
import tensorflow_datasets as tfds""",
    "the builder": """
from tfds_adni import Builder
import tensorflow_datasets as tfds
assert tfds.builder_cls("adni") is Builder""",
    "reloaded": """
import importlib, tfds_adni
importlib.reload(tfds_adni)
import tensorflow_datasets as tfds""",
    "twice": """
import tfds_adni
for name in [name for name in sys.modules if name.startswith("tfds_adni")]:
    del sys.modules[name]
import tfds_adni
import tensorflow_datasets as tfds""",
}


@pytest.mark.parametrize("order", ORDERS)
def test_the_order_of_imports_does_not_matter(order):
    code = f"import sys\n{ORDERS[order]}\n{REGISTERED}"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_reading_scans_imports_neither_tensorflow_nor_tfds():
    code = (
        "import sys, tfds_adni, tfds_adni.cohort, tfds_adni.parallel.pool\n"
        "tfds_adni.survey, tfds_adni.write_phantom, tfds_adni.Selection\n"
        "found = {'tensorflow', 'tensorflow_datasets', 'keras'}\n"
        "sys.exit(len(found & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


class Finder:
    """Finds one module, with a loader that writes down what it does."""

    def __init__(self, name, done):
        self.name, self.done = name, done

    def find_spec(self, name, path=None, target=None):
        return ModuleSpec(name, self) if name == self.name else None

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        self.done.append(module.__name__)


@pytest.fixture
def waiting(monkeypatch):
    """A finder that waits, before one that knows TFDS, and what they did."""
    done = []
    monkeypatch.setattr(registration.importlib, "import_module", done.append)
    after = registration._AfterTfds()
    finders = [after, Finder(registration._TFDS, done)]
    monkeypatch.setattr(registration.sys, "meta_path", finders)
    return after, finders, done


def test_the_builder_is_imported_after_tfds(waiting):
    after, finders, done = waiting
    spec = after.find_spec(registration._TFDS)
    assert done == []
    spec.loader.exec_module(registration)
    assert done == [registration.__name__, registration._BUILDER]
    assert after not in finders


def test_other_modules_are_left_to_the_others(waiting):
    after, finders, _ = waiting
    for name in ("tensorflow_datasets.core", "tensorflow", "numpy"):
        assert after.find_spec(name) is None
    finders.pop()
    assert after.find_spec(registration._TFDS) is None
    assert finders == [after]


def test_after_a_failure_it_waits_on(waiting):
    """So that a second try to import TFDS registers the builder."""
    after, finders, done = waiting

    def fail(module):
        raise ImportError("no numpy")

    finders[1].exec_module = fail
    spec = after.find_spec(registration._TFDS)
    with pytest.raises(ImportError, match="no numpy"):
        spec.loader.exec_module(registration)
    assert after in finders
    assert done == []
