"""What `--set` takes: listed, and completed by a shell."""

import dataclasses
import os
import re
import shlex
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from pet_dcgan.cli import settings
from pet_dcgan.cli.main import app
from pet_dcgan.cli.settings import complete_setting, list_settings, settable
from pet_dcgan.config import DATASETS, TrainConfig, checked_value
from pet_dcgan.presets import PRESETS
from tfds_adni import Builder

SLOW = ("tensorflow", "keras", "numpy", "pandas", "nibabel", "requests")
PROGRAM = f"""
import sys
from pet_dcgan.__main__ import main
try:
    main()
finally:
    assert not set({SLOW}) & set(sys.modules)
"""


def test_the_list_has_every_setting_and_its_presets():
    result = CliRunner().invoke(app, ["train", "--list-settings"])
    assert result.exit_code == 0
    text = " ".join(result.output.split())
    for name in PRESETS["robust"]:
        assert re.search(rf"^{name} +\S", result.output, re.M), name
    sizes = "; ".join(f"{p} {v['batch_size']}" for p, v in PRESETS.items())
    assert (
        "batch_size Real images, and latent vectors, per step. 2 to 4096 "
        f"({sizes})"
    ) in text
    assert "xla Whether XLA compiles a step" in text
    assert "true or false (false in every preset)" in text
    assert "channels 1, or 3 for the one channel repeated; of volumes" in text
    assert "augment How images are changed" in text
    augmented = "translate,cutout,rotate,scale"
    assert f"robust {augmented}; best {augmented}; paper none" in text
    assert "`" not in text
    assert max(map(len, result.output.splitlines())) <= 80


def test_no_setting_lacks_a_meaning():
    names = {field.name for field in dataclasses.fields(TrainConfig)}
    for name, meaning in settings._meanings().items():
        assert meaning.endswith("."), name
        names.discard(name)
    assert not names
    assert set(settable()) == set(PRESETS["robust"])


def test_without_docstrings_the_list_has_names_and_values(monkeypatch):
    monkeypatch.setattr(TrainConfig, "__doc__", None)
    assert re.search(r"^xla {18}\n +true or false \(", list_settings(), re.M)


@pytest.mark.parametrize("name", settable())
def test_what_is_completed_can_be_set(name):
    offered = complete_setting(f"{name}=")
    assert offered
    for text, _ in offered:
        given, _, value = text.partition("=")
        assert given == name
        # alone it may contradict the preset, of which it is not to blame
        assert checked_value(name, value) is not None


def test_names_come_first_and_then_values():
    assert [text for text, _ in complete_setting("augment_")] == [
        "augment_probability=",
        "augment_target=",
    ]
    assert [text for text, _ in complete_setting("batch")] == [
        "batch_size=16",
        "batch_size=64",
        "batch_size=8",
    ]
    assert complete_setting("xla=") == [("xla=true", ""), ("xla=false", "")]
    assert complete_setting("colour") == complete_setting("colour=") == []
    assert len(complete_setting("")) == len(settable())


# --- the protocol of a shell --------------------------------------------------


def completed(line, *, shell="bash", **environment):
    """What the program answers to a shell; nothing slow is imported."""
    words = line.split(" ")
    answer = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=os.environ
        | {
            "_PET_DCGAN_COMPLETE": f"complete_{shell}",
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(words) - 1),
            "_TYPER_COMPLETE_ARGS": line,
            "_TYPER_COMPLETE_FISH_ACTION": "get-args",
            **environment,
        },
    )
    assert answer.stderr == ""
    return answer.stdout.splitlines()


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("tra", ["train"]),
        ("train --list", ["--list-settings"]),
        ("train --preset ", list(PRESETS)),
        ("train --stage a", ["AD"]),
        ("train --plane c", ["coronal"]),
        ("train --set wid", ["width=16", "width=32", "width=64", "width=8"]),
        ("prepare --config axial", ["axial_128", "axial_64"]),
        ("study --planes axial,", ["axial,coronal", "axial,sagittal"]),
        ("generate --format n", ["npy", "nifti", "nii"]),
        # a path is the shell's own business
        ("evaluate ru", []),
        ("train --run ru", []),
    ],
)
def test_bash_is_offered(line, offered):
    # a stage may be written either way; older versions of typer offer "ad"
    found = [x.lower() for x in completed(f"pet-dcgan {line}") if x]
    assert found == [x.lower() for x in offered]


def test_sets_that_were_prepared_are_offered(tmp_path):
    for name in ("all_128", "axial_32"):
        (tmp_path / "adni" / name).mkdir(parents=True)
    line = f"pet-dcgan train --data-dir {tmp_path} --config "
    assert completed(line) == ["all_128", "axial_32"]
    # of a new set, what can be made
    line = f"pet-dcgan prepare scans --data-dir {tmp_path} --config "
    assert completed(line) == list(DATASETS)


def test_the_sets_are_those_of_the_builder():
    assert list(Builder.builder_configs) == list(DATASETS)


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_are_offered_a_line_each(shell):
    lines = completed("pet-dcgan train --s", shell=shell)
    for name in ("--stage", "--set", "--seed", "--strategy"):
        (line,) = [x for x in lines if name in x]
        assert "\t" in line if shell == "fish" else '":"' in line
    assert len(lines) == 5  # and --stop-on-failure


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_names_the_program(shell):
    script = completed("", _PET_DCGAN_COMPLETE=f"source_{shell}")
    assert "pet-dcgan" in "".join(script)
    assert "_PET_DCGAN_COMPLETE" in "".join(script)
    assert not [line for line in script if "python" in line]


def test_bash_itself_completes(tmp_path):
    """With the script that `--show-completion` prints, in a real shell."""
    program = tmp_path / "pet-dcgan"
    python = shlex.quote(sys.executable)
    program.write_text(f'#!/bin/sh\nexec {python} -m pet_dcgan "$@"\n')
    program.chmod(0o755)
    (tmp_path / "script").write_text(
        "\n".join(completed("", _PET_DCGAN_COMPLETE="source_bash"))
    )
    answer = subprocess.run(
        [
            *("bash", "--norc", "-c"),
            "source script; COMP_CWORD=3; "
            "COMP_WORDS=(pet-dcgan train --set ep); "
            "_pet_dcgan_completion pet-dcgan; printf '%s\\n' ${COMPREPLY[@]}",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env=os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"},
    )
    values = [f"epochs={PRESETS[p]['epochs']}" for p in PRESETS]
    assert answer.stdout.split() == list(dict.fromkeys(values))
