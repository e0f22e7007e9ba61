"""What `pet-dcgan train` makes of its options, without a training."""

import os
import re

import pytest
from typer.testing import CliRunner

from pet_dcgan.cli import console
from pet_dcgan.cli.main import app
from pet_dcgan.training import devices, distribution, train


@pytest.fixture
def command(toy_set, tmp_path, monkeypatch):
    """`command("--device", "cpu")`: the result, and what was called."""
    calls = {}
    monkeypatch.setattr(
        devices, "choose_device", lambda name: calls.update(device=name)
    )
    monkeypatch.setattr(
        distribution,
        "make_strategy",
        lambda name: calls.update(asked=name) or f"<{name}>",
    )

    def trained(config, run_path, **options):
        calls.update(options, config=config)
        return type("Run", (), {"path": run_path})

    monkeypatch.setattr(train, "train", trained)

    def command(*options):
        where = ["--data-dir", str(toy_set), "--config", "axial_32"]
        run = ["--stage", "AD", "--run", str(tmp_path / "ad")]
        result = CliRunner().invoke(app, ["train", *where, *run, *options])
        return result, calls

    return command


@pytest.mark.parametrize(
    ("options", "device", "strategy", "flags"),
    [
        ("", "auto", "none", False),
        (
            "--device cpu --strategy mirrored --deterministic "
            "--stop-on-failure",
            "cpu",
            "mirrored",
            True,
        ),
    ],
)
def test_options_reach_the_training(command, options, device, strategy, flags):
    result, calls = command(*options.split())
    assert result.exit_code == 0, result.output
    assert calls["device"] == device
    assert calls["strategy"] == f"<{strategy}>"
    assert calls["config"].deterministic is flags
    assert calls["stop_on_failure"] is flags


def test_a_plan_needs_no_other_machine(command):
    result, calls = command(
        *("--strategy", "multiworker", "--dry-run", "--preset", "demo"),
        *("--set", "width=4", "--set", "batch_size=4"),
    )
    assert result.exit_code == 0, result.output
    assert calls["asked"] == "none"
    assert "config" not in calls


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--device", "tpu", "expected auto, cpu, gpu"),
        ("--strategy", "all", "expected none, mirrored, multiworker"),
    ],
)
def test_unknown_hardware_exits_with_2(command, option, value, words):
    result, calls = command(option, value)
    assert result.exit_code == 2
    assert words in re.sub(r"[\s│]+", " ", result.output)
    assert not calls


@pytest.mark.parametrize(
    ("options", "before", "after"),
    [
        ({}, None, ("true", None)),
        ({}, "false", ("false", None)),  # what the user set stays
        ({"gpu": False}, None, ("true", "-1")),
    ],
)
def test_the_memory_of_a_gpu_grows_or_the_gpu_is_left_alone(
    monkeypatch, options, before, after
):
    names = ("TF_FORCE_GPU_ALLOW_GROWTH", "CUDA_VISIBLE_DEVICES")
    for name in names:
        monkeypatch.setenv(name, before or "to be put back")
        if name == names[1] or not before:
            monkeypatch.delenv(name)
    console.start_tensorflow(**options)
    assert tuple(map(os.environ.get, names)) == after


@pytest.mark.parametrize(
    ("words", "gpu"),
    [
        (["prepare", ".", "--data-dir", "data"], [False]),
        (["export", "runs/ad", "--to", "models"], [False]),
        (["scan", "."], []),
    ],
)
def test_who_takes_no_gpu(words, gpu, tmp_path, monkeypatch):
    asked = []

    def start(*, gpu=True):
        asked.append(gpu)
        raise ValueError("TensorFlow would start now")

    monkeypatch.setattr(console, "start_tensorflow", start)
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(app, words).exit_code == 1
    assert asked == gpu
