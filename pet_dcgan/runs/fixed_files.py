"""The files of a run that never change: what it is, and whom it trains on.

`config.json`, `subjects.csv`, `networks.json` where networks are the user's
own, `conditions.json` where a generator has conditions, and the checksums of
these. They appear together, or not at all.
"""

import contextlib
import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pet_dcgan.conditions import Conditions
from pet_dcgan.config import TrainConfig
from pet_dcgan.models.network_config import MOST_BYTES
from pet_dcgan.models.own_networks import ROLES
from pet_dcgan.references import RecipeError
from pet_dcgan.runs.absent_run import is_run
from pet_dcgan.utils import foreign_text
from pet_dcgan.utils.checksums import require_unchanged, write_checksums
from pet_dcgan.utils.files import replacing, sweep_beside
from pet_dcgan.utils.foreign_files import read_bytes
from pet_dcgan.utils.foreign_tables import read_table
from pet_dcgan.utils.locks import is_free, move_lock, working_in

NETWORKS = "networks.json"
CONDITIONS = "conditions.json"
GENERATOR = "generator.keras"  # marks a run as finished
_CONFIG, _SUBJECTS = "config.json", "subjects.csv"
_TRAIN, _HELD_OUT = "train", "validation"


class RunFacts(NamedTuple):
    """What a run is.

    Args:
        config: Its configuration.
        subjects: Subjects it trains on.
        validation: Subjects it is measured by, if not the set's own.
        networks: Descriptions of the networks that are the user's own, by
            role, from `pet_dcgan.models.network_config.describe`.
        conditions: What its generator is asked for, if for anything.
    """

    config: TrainConfig
    subjects: list[str]
    validation: list[str]
    networks: Mapping[str, dict[str, Any]]
    conditions: Conditions | None = None


@contextlib.contextmanager
def new_folder(path: Path, facts: RunFacts) -> Iterator[Path]:
    """Makes the folder of a new run; it appears when the block has ended.

    Args:
        path: A folder that does not exist, or is empty.
        facts: What the run is.

    Yields:
        The folder under another name, to write more files into.

    Raises:
        FileExistsError: If the folder holds anything.
    """
    require_free(path)
    with working_in(path, "train"), replacing(path) as folder:
        require_free(path)  # it may have been made meanwhile
        sweep_beside(path)
        folder.mkdir()
        _write(folder, facts)
        yield folder
        move_lock(path, folder)


def read_facts(path: Path) -> RunFacts:
    """What a run is, from its folder.

    Args:
        path: The folder.

    Raises:
        FileNotFoundError: If one of the files is absent.
        RecipeError: If its slices were made by another recipe.
        ValueError: If one of them is damaged; in one line that ends without a
            remedy.
    """
    facts = RunFacts(
        _read_config(path),
        *_read_subjects(path),
        _read_networks(path),
        _read_conditions(path),
    )
    _require_conditions(path, facts)
    require_unchanged(path, _names(facts))
    return facts


def require_free(path: Path) -> None:
    """Refuses a folder for a new run that holds anything.

    Raises:
        FileExistsError: If it does, with what to do.
    """
    if is_free(path):
        return
    found, remedy = "other files", ""
    if is_run(path):
        finished = (path / GENERATOR).is_file()
        found = "a finished run" if finished else "an unfinished run"
        remedy = "" if finished else "go on with --resume, or "
    raise FileExistsError(
        f"expected {path} to be free for a new run, found {found}: {remedy}"
        "choose another --run"
    )


def _names(facts: RunFacts) -> tuple[str, ...]:
    """The files that a run of these facts has."""
    more = {NETWORKS: facts.networks, CONDITIONS: facts.conditions}
    return (_CONFIG, _SUBJECTS, *(name for name in more if more[name]))


def _write(folder: Path, facts: RunFacts) -> None:
    """Writes the files and their checksums."""
    with (folder / _SUBJECTS).open("w", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("subject", "split"))
        writer.writerows((each, _TRAIN) for each in facts.subjects)
        writer.writerows((each, _HELD_OUT) for each in facts.validation)
    (folder / _CONFIG).write_text(facts.config.to_json(), encoding="utf-8")
    if facts.networks:
        text = json.dumps(facts.networks) + "\n"
        (folder / NETWORKS).write_text(text, encoding="utf-8")
    if facts.conditions:
        text = json.dumps(facts.conditions.to_dict(), indent=2) + "\n"
        (folder / CONDITIONS).write_text(text, encoding="utf-8")
    write_checksums(folder, _names(facts))


def _read_config(folder: Path) -> TrainConfig:
    """The configuration of a run."""
    path = folder / _CONFIG
    content = read_bytes(path, most=foreign_text.MOST_BYTES)
    try:
        return TrainConfig.from_json(content, source=str(path))
    except RecipeError as error:
        raise RecipeError(f"{folder}: {error}") from None
    except ValueError as error:
        named = "" if str(path) in str(error) else f"{path}: "
        raise ValueError(f"{named}{error}") from None


def _read_subjects(folder: Path) -> tuple[list[str], list[str]]:
    """Training subjects, at least one, and validation subjects of a run."""
    path = folder / _SUBJECTS
    rows = read_table(path, ["subject", "split"])
    parts = {_TRAIN: [], _HELD_OUT: []}
    for row in rows:
        parts.get(row["split"], []).append(row["subject"])
    found = parts[_TRAIN] + parts[_HELD_OUT]
    whole = len(found) == len(rows) and len(set(found)) == len(found)
    if not parts[_TRAIN] or not whole or not all(found):
        raise ValueError(
            f"expected one row per subject in {path}, of {_TRAIN} or "
            f"{_HELD_OUT}, found another"
        )
    return parts[_TRAIN], parts[_HELD_OUT]


def _read_networks(folder: Path) -> dict[str, dict[str, Any]]:
    """The descriptions of own networks; nothing is built of them yet."""
    path = folder / NETWORKS
    try:
        content = read_bytes(path, most=3 * MOST_BYTES)  # of two
    except FileNotFoundError:
        return {}
    found = foreign_text.parse_object(content, source=str(path))
    known = found.keys() <= set(ROLES)
    if not found or not known or not _are_objects(found):
        raise ValueError(
            f"expected descriptions of {' or '.join(ROLES)} in {path}, found "
            "something else"
        )
    return found


def _read_conditions(folder: Path) -> Conditions | None:
    """What a generator is asked for, if for anything."""
    path = folder / CONDITIONS
    try:
        content = read_bytes(path, most=foreign_text.MOST_BYTES)
    except FileNotFoundError:
        return None
    found = foreign_text.parse_object(content, source=str(path))
    try:
        return Conditions.from_dict(found)
    except ValueError as error:
        raise ValueError(f"{error} in {path}") from None


def _require_conditions(folder: Path, facts: RunFacts) -> None:
    """Refuses conditions that the configuration does not name."""
    wanted = facts.config.condition_names
    found = facts.conditions.names if facts.conditions else ()
    if wanted != found:
        raise ValueError(
            f"expected the conditions {', '.join(wanted) or 'none'} in "
            f"{folder / CONDITIONS}, found {', '.join(found) or 'none'}"
        )


def _are_objects(found: dict[str, Any]) -> bool:
    return all(isinstance(each, dict) for each in found.values())
