import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import ida_tree
import numpy as np
import pytest
from typer.testing import CliRunner

from pet_dcgan.cli.main import app


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    root = tmp_path_factory.mktemp("ida") / "scans"
    rows = ida_tree.cohort_rows(4)
    ida_tree.write_tree(root, rows)
    half = ida_tree.head()
    half[:20] = 0
    ida_tree.save_las(half, ida_tree.image_path(root, rows[0]))
    return root


def run(tree, data_dir, *options):
    return CliRunner().invoke(
        app,
        [
            "prepare",
            str(tree),
            "--data-dir",
            str(data_dir),
            "--config",
            "axial_64",
            *map(str, options),
        ],
    )


def test_what_only_pixels_told_is_said(tree, tmp_path):
    result = run(tree, tmp_path, "--jobs", 1)
    assert result.exit_code == 0
    assert "1 more scans were skipped when they were read" in result.output


def test_a_mask_for_all(tree, tmp_path):
    import nibabel as nib

    mask = np.zeros(ida_tree.SHAPE, np.uint8)
    mask[17:23, 17:23, 10:14] = 1
    nib.save(nib.Nifti1Image(mask, ida_tree.las_affine()), tmp_path / "m.nii")
    options = ("--normalise", "mask", "--masks", tmp_path / "m.nii")
    result = run(tree, tmp_path / "d", *options)
    assert result.exit_code == 0
    metadata = tmp_path / "d" / "adni" / "axial_64" / "1.0.0" / "metadata.json"
    assert '"masks": "m.nii"' in metadata.read_text()


@pytest.mark.parametrize(
    "options",
    [
        ("--normalise", "pons"),
        ("--normalise", "mask"),
        ("--masks", "m.nii"),
        ("--jobs", "0"),
    ],
)
def test_values_that_are_refused_before_anything_is_read(tmp_path, options):
    result = run(tmp_path / "nowhere", tmp_path / "d", *options)
    assert result.exit_code == 2
    assert not (tmp_path / "d").exists()


def test_volumes_that_are_no_suvr(tree, tmp_path):
    result = run(tree, tmp_path / "d", "--normalise", "none")
    assert result.exit_code == 1
    assert "not SUVR" in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "d").exists()


def workers_of(process):
    """The processes it cuts scans with, as soon as there are any."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        found = [
            int(child)
            for child in children.read_text().split()
            if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()
        ]
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("no worker was started")


@pytest.mark.slow
@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs /proc")
@pytest.mark.parametrize("wait", [0, 0.1, 0.4])
@pytest.mark.parametrize(
    ("stop", "code", "words"),
    [
        (
            lambda p, _: os.killpg(p.pid, signal.SIGINT),
            130,
            "stopped by Ctrl-C",
        ),
        (lambda p, _: os.kill(p.pid, signal.SIGINT), 130, "stopped by Ctrl-C"),
        (lambda _, w: os.kill(w[-1], signal.SIGKILL), 1, "that was killed"),
    ],
)
def test_stopped_it_says_one_line_and_leaves_nothing(
    tree, tmp_path, stop, code, words, wait
):
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "pet_dcgan", "prepare", tree),
            *("--data-dir", tmp_path / "d", "--config", "axial_64"),
            *("--jobs", "2"),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    workers = workers_of(process)
    time.sleep(wait)
    with contextlib.suppress(ProcessLookupError):  # it was faster
        stop(process, workers)
    _, err = process.communicate(timeout=120)
    # whole, and perhaps stopped while Python was about to leave
    if (tmp_path / "d/adni/axial_64/1.0.0/metadata.json").exists():
        pytest.skip("it was faster")
    assert process.returncode == code
    lines = [line for line in err.splitlines() if line.strip()]
    assert words in lines[-1]
    assert all(line.startswith("prepare ") for line in lines[:-1])
    assert not (tmp_path / "d").exists()
