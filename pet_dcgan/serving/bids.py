"""Synthetic volumes as a BIDS derivative, which says that they are synthetic.

The Brain Imaging Data Structure (https://bids-specification.readthedocs.io,
1.11): derivatives, positron emission tomography, participants. A participant
is a seed.
"""

import json
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pet_dcgan import __version__
from pet_dcgan.models.model_info import ModelInfo
from pet_dcgan.models.png_notes import description, row_texts
from pet_dcgan.references import NATIVE, REFERENCES
from pet_dcgan.serving.wanted import WantedError

TABLE = "participants.tsv"
_VERSION = "1.11.1"
_MOST_LICENSE = 200  # letters
_NOT_AVAILABLE = "n/a"
_NOBODY = "A participant is the seed of an image, and no person."
_COLUMNS = {
    "participant_id": "sub-syn and the seed",
    "stage": "NC (cognitively normal), MCI (mild cognitive impairment), AD "
    "(Alzheimer's disease), ALL (of all together), or weights of NC, MCI and "
    "AD: what the generator was asked for or trained on, no diagnosis",
    "seed": "what fixes the image, together with the model and the stage",
    "model": "name of the generator",
    "model_version": "its version",
    "synthetic": "true of every image here",
    "phantom": "true where the generator knows simulated brains alone",
}
# of models that know them; BIDS has these columns of its own
_ASKED = {
    "age": "years that the generator was asked for",
    "sex": "sex that the generator was asked for",
}
_README = """\
# {title}

Every image here was drawn by a generator. None is of a person, and a
participant is nothing but a seed. **Not for diagnosis, treatment or any
decision about a person.**
{phantom}
- Model: `{name}`, version {version}, exported by {made_by}; drawn by
  pet-dcgan {own} (`pet-dcgan generate --bids`). The same model, seed and stage
  give the same image.
- Images: {size} x {size} x {size} voxels of {spacing:g} mm, float32.
{scale}
- `participants.tsv` has the seed and the stage of each. A stage is what the
  generator was asked for, or trained on; nobody was diagnosed.

An image may be near one of the people that the generator was trained on: its
model card says whether somebody looked. The terms of the training data may
hold for what was made from them, too. Before you share this, fill in `Authors`
and `License` in `dataset_description.json`.
"""
_PHANTOM = """
**The generator was trained on a simulated phantom, not on patients. Nothing
here says anything about patients.**
"""
_SPACES = {
    True: "native, in no template: the axes go to the right, to the front and "
    "upwards, and the centre of the brain is the origin",
    False: "that of the template {space}, in which the training data were",
}


def check_license(text: str | None) -> None:
    """Refuses what `dataset_description.json` cannot hold as a licence.

    Args:
        text: As `"CC0"`; None for none.

    Raises:
        WantedError: If it is empty, too long or not on one line.
    """
    if text is None:
        return
    fits = isinstance(text, str) and text.strip() and text.isprintable()
    if not fits or len(text) > _MOST_LICENSE:
        raise WantedError(
            f"expected a licence in one line of at most {_MOST_LICENSE} "
            f"letters, as CC0, found {str(text)[:40]!r}"
        )


class Drawn(NamedTuple):
    """The images of a data set.

    Attributes:
        facts: Of their model.
        version: Its version.
        rows: Each seed, and what it was asked for; None of a model without
            conditions.
    """

    facts: ModelInfo
    version: str
    rows: Mapping[int, Mapping[str, Any] | None]


def image_name(facts: ModelInfo, seed: int) -> str:
    """Path of an image within the data set.

    Args:
        facts: Of its model.
        seed: Its seed.

    Returns:
        As `sub-syn0012/pet/sub-syn0012_trc-18FFDG_desc-synthetic_pet.nii.gz`;
        the space is named where it is a template's.
    """
    subject = _subject(seed)
    space = "" if facts.space == NATIVE else f"_space-{facts.space}"
    name = f"{subject}_trc-18FFDG{space}_desc-synthetic_pet.nii.gz"
    return f"{subject}/pet/{name}"


def texts(drawn: Drawn, *, license: str | None) -> Iterator[tuple[str, str]]:  # noqa: A002
    """Yields paths and contents of all files but the images.

    Args:
        drawn: The images.
        license: Name of the licence, None if there is none yet.
    """
    facts = drawn.facts
    yield "dataset_description.json", _json(_dataset(drawn, license))
    yield "README.md", _readme(drawn)
    columns = _COLUMNS | {
        name: words
        for name, words in _ASKED.items()
        if facts.takes is not None and name in facts.takes.names
    }
    table = [list(columns)]
    for seed, row in drawn.rows.items():
        cells = _cells(drawn, seed, row)
        table.append([cells[name] for name in columns])
        sidecar = image_name(facts, seed).replace(".nii.gz", ".json")
        yield sidecar, _json(_sidecar(drawn, seed, row))
    yield TABLE, "".join("\t".join(line) + "\n" for line in table)
    words = {name: {"Description": each} for name, each in columns.items()}
    yield "participants.json", _json({"Description": _NOBODY, **words})


def write_texts(folder: Path, drawn: Drawn, *, license: str | None) -> None:  # noqa: A002
    """Writes all files but the images.

    Args:
        folder: Of the data set.
        drawn: The images.
        license: As of `texts`.
    """
    for name, text in texts(drawn, license=license):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _subject(seed: int) -> str:
    """The participant that a seed is."""
    return f"sub-syn{seed:04d}"


def _json(values: Mapping[str, Any]) -> str:
    """JSON as a text file."""
    return json.dumps(values, indent=2) + "\n"


def _title(facts: ModelInfo) -> str:
    """What the data set is called."""
    phantom = " of a phantom" if facts.phantom else ""
    return f"Synthetic FDG PET of the brain{phantom}"


def _dataset(drawn: Drawn, license: str | None) -> dict[str, Any]:  # noqa: A002
    """Content of `dataset_description.json`."""
    facts = drawn.facts
    found = {
        "Name": _title(facts),
        "BIDSVersion": _VERSION,
        "DatasetType": "derivative",
        "GeneratedBy": [
            {
                "Name": "pet-dcgan",
                "Version": __version__,
                "Description": "synthetic images, drawn from a generator",
            },
            {
                "Name": facts.name,
                "Version": drawn.version,
                "Description": f"the generator, exported by {facts.made_by}",
            },
        ],
    }
    return found if license is None else found | {"License": license}


def _readme(drawn: Drawn) -> str:
    """Content of `README.md`."""
    facts = drawn.facts
    space = _SPACES[facts.space == NATIVE].format(space=facts.space)
    scale = (f"Values: {REFERENCES[facts.reference]}.", f"Space: {space}.")
    return _README.format(
        title=_title(facts),
        phantom=_PHANTOM if facts.phantom else "",
        name=facts.name,
        version=drawn.version,
        made_by=facts.made_by,
        own=__version__,
        size=facts.size,
        spacing=facts.spacing_mm,
        scale="\n".join(map(_item, scale)),
    )


def _item(text: str) -> str:
    """An item of a list in Markdown."""
    return textwrap.fill(text, 79, initial_indent="- ", subsequent_indent="  ")


def _stage(facts: ModelInfo, row: Mapping[str, Any] | None) -> str:
    """The stage of an image, or the weights of the three."""
    return facts.stage if row is None else row_texts(row)["stage"]


def _cells(
    drawn: Drawn, seed: int, row: Mapping[str, Any] | None
) -> dict[str, str]:
    """What the table has of an image, by column."""
    asked = {} if row is None else row_texts(row)
    return {
        "participant_id": _subject(seed),
        "stage": _stage(drawn.facts, row),
        "seed": str(seed),
        "model": drawn.facts.name,
        "model_version": drawn.version,
        "synthetic": "true",
        "phantom": str(drawn.facts.phantom).lower(),
        **{name: asked.get(name) or _NOT_AVAILABLE for name in _ASKED},
    }


def _sidecar(
    drawn: Drawn, seed: int, row: Mapping[str, Any] | None
) -> dict[str, Any]:
    """What the JSON beside an image says; nothing that nobody measured."""
    facts = drawn.facts
    return {
        "Description": description(facts, row),
        "Synthetic": True,
        "Phantom": facts.phantom,
        "Seed": seed,
        "Stage": _stage(facts, row),
        "ModelName": facts.name,
        "ModelVersion": drawn.version,
        "TracerName": "FDG",
        "TracerRadionuclide": "F18",
        "BodyPart": "BRAIN",
        "Units": "unitless",
        "UnitsDescription": f"SUVR: {REFERENCES[facts.reference]}",
        "SkullStripped": False,
    }
