"""What images are drawn from: a folder, a server, or a network in memory."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pet_dcgan.image_facts import ImageFacts
from pet_dcgan.serving.exported_model import ExportedModel
from pet_dcgan.serving.rest_model import RemoteModel, is_url

if TYPE_CHECKING:
    import keras

# the version of a network that was not exported
_LIVE = "live"


@contextlib.contextmanager
def opened(
    model: "str | Path | keras.Model",
    *,
    facts: ImageFacts | None = None,
    timeout: float = 60.0,
) -> Iterator[ExportedModel | RemoteModel]:
    """Opens what images are drawn from, whichever way it is given.

    Args:
        model: Folder of an exported version, or its parent; the URL of either
            on a server; a generator, or a `DCGAN`.
        facts: What the images mean, for a network without facts.
        timeout: Seconds that a server may take for an answer.

    Yields:
        The model. A network's is the archive that an export would write, in a
        temporary folder, so that its images have the same bytes.

    Raises:
        ConnectionError: If a server gives no answer.
        FileNotFoundError: If there is no exported model.
        ValueError: If it is damaged, or nothing that images are drawn from.
    """
    if not isinstance(model, str | os.PathLike):
        with tempfile.TemporaryDirectory(prefix="pet_dcgan_") as parent:
            folder = _written(model, facts, Path(parent, _LIVE))
            yield ExportedModel(folder).load()
        return
    if facts is not None:
        raise ValueError(
            f"expected facts= with a network alone, found it with {model}: "
            "leave it out, an exported model has its own"
        )
    if is_url(model):
        with contextlib.closing(RemoteModel(str(model), timeout=timeout)) as it:
            yield it
    else:
        yield ExportedModel(model).load()


def _written(model: Any, facts: ImageFacts | None, folder: Path) -> Path:
    """Writes a network's archive."""
    # TensorFlow, which takes seconds, and which a server's images do without
    from pet_dcgan.models.archive import export_model
    from pet_dcgan.runs.run import Run

    if isinstance(model, Run):
        raise ValueError(
            f"expected an exported model, found the run {model.path}: export "
            "it with pet_dcgan.export, which refuses one that copies"
        )
    export_model(model, folder, facts=facts, verbose=False)
    return folder
