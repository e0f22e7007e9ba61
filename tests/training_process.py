"""Real `pet-dcgan train` processes of the toy set, to be interrupted."""

import csv
import subprocess
import sys
import time

import numpy as np

from pet_dcgan.runs.run import Run

PATIENCE = 600  # seconds, on a busy machine
# everything that has a state of its own, and a file written every epoch
SETTINGS = {
    "width": 4,
    "latent_dim": 6,
    "batch_size": 4,
    "samples_every": 1,
    "ema_decay": 0.9,
    "augment": "translate,cutout,rotate,scale",
    "augment_target": 0.6,
    "select_every": 2,
    "patience": 0,
}
EPOCHS = 30


def command(data_dir, run, *more, epochs=EPOCHS):
    settings = [f"--set={name}={value}" for name, value in SETTINGS.items()]
    return [
        *(sys.executable, "-m", "pet_dcgan", "train"),
        *("--data-dir", str(data_dir), "--config", "axial_32"),
        *("--stage", "AD", "--preset", "demo", "--run", str(run)),
        *("--epochs", str(epochs), *settings, *more),
    ]


def start(data_dir, run, *more, **options):
    """The process; its output is kept."""
    return subprocess.Popen(
        command(data_dir, run, *more, **options),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def to_its_end(process):
    """Exit code and stderr, once it has ended."""
    try:
        _, errors = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    return process.returncode, errors


def wait_for_epochs(process, run, count):
    """Waits until so many epochs stand in the log, or the process ends."""
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None and len(log_rows(run)) < count:
        assert time.monotonic() < deadline, "the training does not come on"
        time.sleep(0.02)


def log_rows(run):
    """What the log says of each epoch, but for the time it took."""
    path = run / "log.csv"
    if not path.exists():
        return []
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return [{k: v for k, v in r.items() if k != "seconds"} for r in rows]


def last_state(run):
    """Every array of the newest state, and its name."""
    newest = max((run / "checkpoint").glob("state_*.npz"))
    with np.load(newest) as arrays:
        return {"file": newest.name} | dict(arrays)


def assert_same_run(expected, found):
    """Bit for bit: generator, whole state, logs, and the drawn samples."""
    a = Run.open(expected).load_generator().get_weights()
    b = Run.open(found).load_generator().get_weights()
    for one, other in zip(a, b, strict=True):
        np.testing.assert_array_equal(one, other)
    states = last_state(expected), last_state(found)
    assert states[0].keys() == states[1].keys()
    for name, array in states[0].items():
        np.testing.assert_array_equal(array, states[1][name], err_msg=name)
    assert log_rows(expected) == log_rows(found)
    tables = ("subjects.csv", "health.csv", "selection.csv")
    for path in [*(expected / n for n in tables), *expected.glob("samples/*")]:
        other = found / path.relative_to(expected)
        assert path.exists() == other.exists(), path
        if path.exists():
            assert path.read_bytes() == other.read_bytes(), path
    left = [p for p in found.rglob("*") if p.name.startswith(".partial-")]
    assert not left
