"""The error for a path that is no exported model."""

import re
from pathlib import Path

from pet_dcgan.models.model_info import GRAPH_FILE
from pet_dcgan.runs.absent_run import is_run
from pet_dcgan.utils.meant import as_typed, meant

# host:port/..., which is a URL but for its beginning
_HOST = re.compile(r"[\w.-]+:[0-9]+/.")


def absent_model(given: str | Path) -> FileNotFoundError:
    """Says what may have been meant by a path.

    Args:
        given: The path.
    """
    path = Path(given)
    runs = [place for place in (path, *path.parents[:3]) if is_run(place)]
    models = meant(path, _is_model)
    if _HOST.match(str(given)):
        remedy = f"a server's begins with http://, as http://{given}"
    elif runs:
        remedy = (
            f"{runs[0]} is a run, export it with: pet-dcgan export "
            f"{as_typed(runs[0])} --to export/models"
        )
    elif models:
        remedy = f"name a model, as {as_typed(*models)}"
    else:
        remedy = "make one with pet-dcgan export"
    return FileNotFoundError(
        f"no exported model in {given} ({GRAPH_FILE} there or in a numbered "
        f"folder): {remedy}"
    )


def _is_model(path: Path) -> bool:
    """Whether a folder is a model, or a version of one."""
    versions = path.glob(f"[0-9]*/{GRAPH_FILE}")
    return (path / GRAPH_FILE).is_file() or any(versions)
