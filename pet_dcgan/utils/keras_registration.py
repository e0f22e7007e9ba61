"""Classes of saved models, found by Keras without an import of them.

`keras.saving.load_model` knows a class only after the module that registers
it. Those here would start TensorFlow with `import pet_dcgan`; instead, Keras
gets a stand-in for each, which imports the module when a file names it.
"""

import importlib
import importlib.abc
import importlib.util
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from pet_dcgan.utils.keras_settings import require_tensorflow_backend

_PACKAGE = "pet_dcgan"
# modules in pet_dcgan.models, and the classes that they register
REGISTERED = {
    "augmentation": ("Augmenter",),
    "bending": ("Bender",),
    "condition_layers": ("ConditionFeatures", "LabelWeight", "Modulation"),
    "conditioned": ("Asked",),
    "conditional_dcgan": ("ConditionalDCGAN",),
    "cpu_layers": ("StridedConv2D", "StridedConv2DTranspose"),
    "dcgan": ("DCGAN",),
    "kid": ("KID",),
    "losses": ("NonSaturating",),
    "tissue_mean": ("TissueMean",),
    "volume_layers": ("StridedConv3D", "StridedConv3DTranspose"),
}


def register_with_keras() -> None:
    """Registers a stand-in for each class, now or once Keras is imported."""
    keras = sys.modules.get("keras")
    if keras is None:
        sys.meta_path.insert(0, _KerasFinder())
    else:
        _register(keras)


def _register(keras: ModuleType) -> None:
    # the classes take the place of their stand-ins when they are imported
    known = keras.saving.get_custom_objects()
    for module, names in REGISTERED.items():
        for name in names:
            stand_in = _stand_in(f"{_PACKAGE}.models.{module}", name)
            known.setdefault(f"{_PACKAGE}>{name}", stand_in)


def _stand_in(module: str, name: str) -> type:
    """What Keras asks to make an object, in place of the class."""

    def from_config(config: dict[str, Any]) -> Any:
        require_tensorflow_backend()
        found = getattr(importlib.import_module(module), name)
        return found.from_config(config)

    return type(name, (), {"from_config": staticmethod(from_config)})


class _KerasFinder(importlib.abc.MetaPathFinder):
    """Finds Keras as others do, and registers after it has been imported."""

    def __init__(self) -> None:
        self.asking_others = False

    def find_spec(
        self, fullname: str, path: Any = None, target: Any = None
    ) -> ModuleSpec | None:
        if fullname != "keras" or self.asking_others:
            return None
        self.asking_others = True
        try:
            spec = importlib.util.find_spec(fullname)
        finally:
            self.asking_others = False
        if spec is not None and spec.loader is not None:
            run = spec.loader.exec_module

            def run_and_register(module: ModuleType) -> None:
                run(module)
                if self in sys.meta_path:
                    sys.meta_path.remove(self)
                _register(module)

            spec.loader.exec_module = run_and_register
        return spec
