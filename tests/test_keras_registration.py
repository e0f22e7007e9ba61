import subprocess
import sys

import keras
import numpy as np
import pytest
from toy_model import make_model

from pet_dcgan.utils import keras_registration as module

FAKE = """
class saving:
    objects = {}
    get_custom_objects = staticmethod(lambda: saving.objects)
"""
NAMES = {
    f"pet_dcgan>{name}"
    for names in module.REGISTERED.values()
    for name in names
}


def test_every_registered_class_has_a_stand_in():
    make_model()
    for name in keras.saving.get_custom_objects():
        if name.startswith("pet_dcgan>"):
            assert name in NAMES


def test_stand_ins_make_what_the_classes_would(tmp_path):
    model = make_model()
    model.save(tmp_path / "model.keras")
    known = keras.saving.get_custom_objects()
    kept = {name: known.pop(name) for name in NAMES}
    try:
        with pytest.raises(TypeError, match="Could not locate class 'DCGAN'"):
            keras.saving.load_model(tmp_path / "model.keras")
        module.register_with_keras()
        loaded = keras.saving.load_model(tmp_path / "model.keras")
    finally:
        known.update(kept)
    assert type(loaded) is type(model)
    latents = np.ones([2, 6], np.float32)
    np.testing.assert_array_equal(loaded(latents), model(latents))


@pytest.mark.parametrize(
    "imports",
    [
        "import keras, pet_dcgan",
        "import pet_dcgan, keras",
        # as programs ask whether it is installed
        "import pet_dcgan, importlib.util as u; u.find_spec('keras')\n"
        "import keras",
    ],
)
def test_either_may_be_imported_first(imports, tmp_path):
    (tmp_path / "keras").mkdir()
    (tmp_path / "keras" / "__init__.py").write_text(FAKE)
    say = "import sys; print(*keras.saving.objects)\n"
    say += "print(any('_KerasFinder' in repr(f) for f in sys.meta_path))\n"
    say += "print('tensorflow' in sys.modules)"
    path = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
    done = subprocess.run(
        [sys.executable, "-c", f"{path}{imports}\n{say}"],
        capture_output=True,
        text=True,
        check=True,
    )
    names, waiting, started = done.stdout.splitlines()
    assert set(names.split()) == NAMES
    assert (waiting, started) == ("False", "False")
