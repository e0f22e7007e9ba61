"""Slips of spelling, by codespell's list of common ones."""

import subprocess
import sys

from pages import ROOT

PLACES = (
    *("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "Makefile", "setup.cfg"),
    *("docs", "export", "pet_dcgan", "tfds_adni", "tests", "benchmarks"),
    "notebooks",
)


def spell(*words):
    return subprocess.run(
        [sys.executable, "-m", "codespell_lib", *map(str, words)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_nothing_is_misspelt():
    done = spell("--skip=models,api,output,*.png", *PLACES)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_slip_is_seen(tmp_path):
    page = tmp_path / "a.md"
    page.write_text("A brain that was recie" + "ved.\n")
    assert spell(page).returncode != 0
