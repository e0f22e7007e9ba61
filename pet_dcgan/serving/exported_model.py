"""Exported models on disk, `<models>/<name>/<version>/`.

Importing this needs neither TensorFlow, Keras nor the training code.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pet_dcgan.models.graph_check import check_graph
from pet_dcgan.models.model_info import FACTS_FILE, GRAPH_FILE, ModelInfo
from pet_dcgan.serving.absent_model import absent_model
from pet_dcgan.utils.foreign_text import one_line

PICTURE = "generate_png"
_FACTS = "describe"


class ExportedModel:
    """One version of an exported model on disk.

    Args:
        model: A version's folder, which holds `saved_model.pb`, or its
            parent, of which the highest version is taken.

    Raises:
        FileNotFoundError: If there is no exported model, or its facts are
            missing.
        ValueError: If a URL is given, or the model's facts are damaged.
    """

    def __init__(self, model: str | Path) -> None:
        if str(model).startswith(("http:/", "https:/")):
            raise ValueError(
                "expected a folder of an exported model, found the URL "
                f"{model}: give a folder such as export/models/ad"
            )
        path = Path(model).resolve()
        if not (path / GRAPH_FILE).is_file():
            found = complete_versions(path)
            if not found:
                raise absent_model(model)
            path = path / str(found[-1])
        self.path = path
        self.version = path.name
        self.facts = ModelInfo.read(path)
        self._loaded: Any = None

    def load(self) -> "ExportedModel":
        """Loads the SavedModel, so that `draw` can be called.

        A SavedModel is a program: only one with the operations of an export
        is loaded, see `check_graph`.

        Raises:
            ValueError: If it is damaged, another program's, or not the model
                that its facts describe.
        """
        import tensorflow as tf

        check_graph(self.path / GRAPH_FILE)
        try:
            self._loaded = tf.saved_model.load(str(self.path))
        # TensorFlow reports damage as anything, KeyError and TypeError too
        except Exception as error:
            raise self._damaged(error) from error
        signatures = self._loaded.signatures
        drawing = self.facts.pictures
        for name in (*drawing, _FACTS):
            if name not in signatures:
                raise ValueError(
                    f"expected the signature {name} in {self.path}, found "
                    f"{one_line(', '.join(signatures)) or 'none'}: export the "
                    "run again"
                )
        (text,) = self._call(_FACTS, [0], {})
        if ModelInfo.from_json(text, source=str(self.path)) != self.facts:
            raise ValueError(
                f"expected the facts of the model in {self.path}, found those "
                f"of another in {FACTS_FILE}: export the run again"
            )
        return self

    def draw(
        self,
        seeds: Sequence[int],
        *,
        conditions: Mapping[str, Sequence] | None = None,
        signature: str = PICTURE,
    ) -> list[bytes]:
        """Returns the 16-bit PNG of each seed, once the model is loaded.

        Args:
            seeds: Of the images.
            conditions: What a conditional model is asked for, from
                `as_columns`: by name a list with an entry a seed.
            signature: What the PNGs show, one of the facts' `pictures`.

        Raises:
            ValueError: If it is damaged, or refuses a row.
        """
        return self._call(signature, seeds, conditions or {})

    def _call(
        self,
        signature: str,
        seeds: Sequence[int],
        conditions: Mapping[str, Sequence],
    ) -> list[bytes]:
        """Returns the bytes that a signature has for each seed."""
        import tensorflow as tf

        try:
            # the loaded object stays alive, and with it the variables
            found = self._loaded.signatures[signature](
                seed=tf.constant(seeds, tf.int64),
                **{n: tf.constant(each) for n, each in conditions.items()},
            )
            found = {n: each.numpy().tolist() for n, each in found.items()}
            status = found.pop("status") if conditions else []
            (rows,) = found.values()
        except Exception as error:
            raise self._damaged(error) from error
        bytes_only = isinstance(rows, list) and all(
            isinstance(row, bytes) for row in rows
        )
        if not bytes_only or len(rows) != len(seeds):
            raise ValueError(
                f"expected {len(seeds)} rows of bytes from {signature} in "
                f"{self.path}, found something else: export the run again"
            )
        require_fine(status, f"the model in {self.path}")
        return rows

    def _damaged(self, error: Exception) -> ValueError:
        """Returns the error for what TensorFlow reports, without its words."""
        words = getattr(error, "strerror", None)
        reason = f" ({one_line(words)})" if words else ""
        return ValueError(
            f"the model in {self.path} is damaged or cannot be read{reason}: "
            "export the run again"
        )


def require_fine(status: Any, source: str) -> None:
    """Refuses an answer in which a row was refused.

    Args:
        status: Words for each row, of any origin.
        source: Who answered, for the error.

    Raises:
        ValueError: With the words of the first one.
    """
    words = [
        each.decode("utf-8", "replace") if isinstance(each, bytes) else each
        for each in (status if isinstance(status, list) else [status])
    ]
    if refused := [each for each in words if each != ""]:
        raise ValueError(
            f"{source} refused {len(refused)} of {len(words)} images "
            f"({one_line(refused[0])}): ask for what its description allows"
        )


def versions(folder: str | Path) -> list[int]:
    """Returns the numbered versions in a model's folder, ascending."""
    folder = Path(folder)
    if not folder.is_dir():
        return []
    names = (entry.name for entry in folder.iterdir() if entry.is_dir())
    return sorted(int(name) for name in names if name.isdecimal())


def complete_versions(folder: str | Path) -> list[int]:
    """Returns the versions that a server could load, ascending."""
    folder = Path(folder)
    return [
        version
        for version in versions(folder)
        if (folder / str(version) / GRAPH_FILE).is_file()
    ]
