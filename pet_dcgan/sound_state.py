"""The last state of a training that nothing was wrong with.

A state is wrong for a while before it is called so. What was kept of the
epochs in between is then as wrong, and worth nothing to start from.
"""

import os
import re
import shutil
from pathlib import Path

from pet_dcgan.files import replacing

_NAME = re.compile(r"(state|sound)_(\d+)\.npz")


def keep_sound(folder: str | Path, epochs: int) -> None:
    """Keeps the state of an epoch when later ones take its place.

    Args:
        folder: Where `pet_dcgan.checkpoint.Checkpoint` writes.
        epochs: Epochs behind in that state; without such a state nothing is
            done.
    """
    folder = Path(folder)
    state = _found(folder, "state").get(epochs)
    if state is None:
        return
    kept = folder / state.name.replace("state", "sound")
    with replacing(kept) as temporary:
        _copy(state, temporary)
    for other in _found(folder, "sound").values():
        if other != kept:
            other.unlink()


def drop_sound(folder: str | Path) -> None:
    """Removes the kept state, when a training has come to its end."""
    for path in _found(Path(folder), "sound").values():
        path.unlink()


def return_to_sound(folder: str | Path) -> int:
    """Makes the kept state the newest one, for whoever goes on from it.

    Args:
        folder: Where `keep_sound` kept it.

    Returns:
        Epochs behind in it; 0 where none was kept, and nothing is changed.
    """
    folder = Path(folder)
    kept = _found(folder, "sound")
    if not kept:
        return 0
    epochs = max(kept)
    sound = kept[epochs]
    state = folder / sound.name.replace("sound", "state")
    if state.exists() and state.samefile(sound):
        sound.unlink()  # a renaming would leave both names
    else:
        os.replace(sound, state)
    for later, path in _found(folder, "state").items():
        if later > epochs:
            path.unlink()
    return epochs


def _copy(source: Path, target: Path) -> None:
    """By a second name of the same file, where the disk has such."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _found(folder: Path, kind: str) -> dict[int, Path]:
    matches = ((p, _NAME.fullmatch(p.name)) for p in folder.glob("*.npz"))
    return {int(m[2]): path for path, m in matches if m and m[1] == kind}
