"""A BIDS folder: tables of people and sessions, and sidecars of images."""

import json
from pathlib import Path
from random import Random

import tree_files

from fuzzing.damage import damaged_json
from fuzzing.folders import look
from fuzzing.plan import Files
from fuzzing.spreadsheets import damaged_table
from tfds_adni import Selection

_SIDECAR = {
    "Modality": "PT",
    "TracerName": "FDG",
    "TracerRadionuclide": "F18",
    "Units": "Bq/mL",
    "FrameTimesStart": [0, 300, 600, 900],
    "FrameDuration": [300, 300, 300, 300],
    "TimeZero": "10:00:00",
    "ScanStart": 0,
    "InjectionStart": 0,
}


def _tsv(*rows: tuple[str, ...]) -> str:
    return "".join("\t".join(row) + "\n" for row in rows)


def prepare(base: Path) -> None:
    people = [("participant_id", "age", "sex", "diagnosis")]
    for number in (1, 2, 3):
        name = f"sub-{number:02}"
        people.append(
            (name, str(70 + number), "F", ("CN", "MCI", "AD")[number - 1])
        )
        folder = base / name / "ses-bl" / "pet"
        folder.mkdir(parents=True)
        stem = f"{name}_ses-bl_trc-FDG_pet"
        (folder / f"{stem}.nii").write_bytes(tree_files.nifti("u1", 4))
        (folder / f"{stem}.json").write_text(json.dumps(_SIDECAR))
        (base / name / f"{name}_sessions.tsv").write_text(
            _tsv(
                ("session_id", "acq_time", "diagnosis", "age"),
                ("ses-bl", "2012-05-05T10:00:00", "AD", "72"),
            )
        )
    (base / "participants.tsv").write_text(_tsv(*people))
    (base / "participants.json").write_text(
        json.dumps({"diagnosis": {"Levels": {"CN": "normal", "AD": "ill"}}})
    )
    (base / "dataset_description.json").write_text(
        json.dumps({"Name": "toy", "BIDSVersion": "1.9.0"})
    )


def mutate(base: Path, dice: Random) -> Files:
    paths = [*sorted(base.rglob("*.json")), *sorted(base.rglob("*.tsv"))]
    files: Files = {}
    for path in dice.sample(paths, dice.choice((1, 1, 2))):
        change = damaged_json if path.suffix == ".json" else damaged_table
        content = path.read_bytes()
        others = [p.read_bytes() for p in paths if p.suffix == path.suffix]
        files[str(path.relative_to(base))] = change(content, dice, *others)
    return files


def run(folder: Path, attempt) -> None:
    look(folder, Selection(), attempt)
