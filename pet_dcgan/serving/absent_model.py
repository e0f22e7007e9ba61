"""The error for a path that is no exported model."""

import re
from pathlib import Path

from pet_dcgan.runs.absent_run import is_run
from pet_dcgan.serving.model_folder import GRAPH_FILE, complete_versions
from pet_dcgan.utils.meant import as_typed, meant

# host:port/..., which is a URL but for its beginning
_HOST = re.compile(r"[\w.-]+:[0-9]+/.")


def absent_model(given: str | Path) -> FileNotFoundError:
    """Says what may have been meant by a path.

    Args:
        given: The path.
    """
    path = Path(given)
    runs = [path] if is_run(path) else meant(path, is_run)
    inside_run = [run for run in runs if run == path or run in path.parents]
    models = meant(path, _is_model)
    if _HOST.match(str(given)):
        remedy = f"a server's begins with http://, as http://{given}"
    elif inside_run:
        remedy = (
            f"{inside_run[0]} is a run, which is exported first: pet-dcgan "
            f"export {as_typed(inside_run[0])} --to export/models"
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
    return (path / GRAPH_FILE).is_file() or bool(complete_versions(path))
