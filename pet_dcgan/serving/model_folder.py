"""The folder of all models: what lies beside the versions, and its repair.

A version is whole or absent, and holds its own card and metrics. All else is
made from the versions, so that it can be made again after a killed export.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from pet_dcgan.models.model_info import FACTS_FILE
from pet_dcgan.serving.exported_model import complete_versions
from pet_dcgan.serving.server_files import CONFIG_FILE, update_models_config
from pet_dcgan.utils.files import replacing, sweep, sweep_beside
from pet_dcgan.utils.locks import LOCK, locked, working_in

CARD_FILE = "MODEL_CARD.md"
_METRICS_FILE = "metrics.json"
# of a version; a model server does not look at it
_EXTRA = FACTS_FILE.parent


def write_descriptions(version_folder: Path, card: str, metrics: str) -> None:
    """Writes a version's card and metrics into `assets.extra`.

    Args:
        version_folder: The version's folder.
        card: Markdown, from `model_card`.
        metrics: JSON that the card was made of.
    """
    folder = version_folder / _EXTRA
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _METRICS_FILE).write_text(metrics, encoding="utf-8")
    (folder / CARD_FILE).write_text(card, encoding="utf-8")


@contextlib.contextmanager
def claimed(base: Path) -> Iterator[Path]:
    """Locks a model's folder, and ends what killed exports began in it.

    Args:
        base: The model's folder; made if missing, and removed if it is empty
            in the end.

    Raises:
        BlockingIOError: If another process exports the model.
    """
    with working_in(base, "export"):
        sweep(base)
        show_newest(base)
        yield base


def show_newest(base: Path) -> None:
    """Puts the newest version's card and metrics beside the versions.

    Args:
        base: The model's folder, which is claimed.
    """
    for version in complete_versions(base)[-1:]:
        for name in (_METRICS_FILE, CARD_FILE):
            inside, beside = base / str(version) / _EXTRA / name, base / name
            # one that was copied here by hand may have none
            if inside.is_file() and not _same(inside, beside):
                with replacing(beside) as file:
                    file.write_bytes(inside.read_bytes())


def _same(one: Path, other: Path) -> bool:
    """Whether two files hold the same bytes; the second may be missing."""
    return other.is_file() and one.read_bytes() == other.read_bytes()


def list_models(models_dir: Path) -> None:
    """Updates `models.config`, one process after another.

    Args:
        models_dir: Folder of all models.

    Raises:
        ValueError: If the file that is there is no list of models.
    """
    with locked(models_dir / LOCK, "export", wait=True):
        sweep_beside(models_dir / CONFIG_FILE)
        update_models_config(models_dir)


def repair_models(models_dir: str | Path) -> None:
    """Ends what killed exports began in a folder of models.

    What they left half-written is removed, the card and the metrics beside
    the versions become those of the newest one, and `models.config` lists all
    models. A model that is being exported is passed over.

    Args:
        models_dir: Folder of all models, which need not exist.

    Raises:
        ValueError: If its `models.config` is no list of models.
    """
    models_dir = Path(models_dir)
    bases = [] if not models_dir.is_dir() else sorted(models_dir.iterdir())
    for base in bases:
        if complete_versions(base) or (base / LOCK).exists():
            # of another user, or in use
            passed = contextlib.suppress(PermissionError, BlockingIOError)
            with passed, claimed(base):
                pass
    if (
        any(map(complete_versions, bases))
        or (models_dir / CONFIG_FILE).exists()
    ):
        list_models(models_dir)
