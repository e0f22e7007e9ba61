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


def test_by_default_one_device_is_chosen_and_nothing_is_determined(command):
    result, calls = command()
    assert result.exit_code == 0, result.output
    assert (calls["device"], calls["strategy"]) == ("auto", "<none>")
    assert calls["config"].deterministic is False
    assert calls["stop_on_failure"] is False


def test_device_strategy_and_determinism_reach_the_training(command):
    result, calls = command(
        *("--device", "cpu", "--strategy", "mirrored", "--deterministic"),
        "--stop-on-failure",
    )
    assert result.exit_code == 0, result.output
    assert calls["device"] == "cpu"
    assert calls["strategy"] == "<mirrored>"
    assert calls["config"].deterministic is True
    assert calls["stop_on_failure"] is True


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
        ("--device", "tpu", "'auto', 'cpu', 'gpu'"),
        ("--strategy", "all", "'none', 'mirrored', 'multiworker'"),
    ],
)
def test_unknown_hardware_exits_with_2(command, option, value, words):
    result, calls = command(option, value)
    assert result.exit_code == 2
    assert words in re.sub(r"[\s│]+", " ", result.output)
    assert not calls


@pytest.fixture
def environment(monkeypatch):
    """The variables of a process that has not started TensorFlow."""
    names = ("TF_FORCE_GPU_ALLOW_GROWTH", "CUDA_VISIBLE_DEVICES")
    for name in names:
        monkeypatch.setenv(name, "to be put back")
        monkeypatch.delenv(name)
    return names


def test_the_memory_of_a_gpu_grows_as_needed(environment):
    console.start_tensorflow()
    assert [os.environ.get(n) for n in environment] == ["true", None]


def test_commands_that_do_not_train_leave_the_gpu_alone(environment):
    console.start_tensorflow(gpu=False)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "-1"


def test_what_the_user_set_about_memory_stays(environment, monkeypatch):
    monkeypatch.setenv("TF_FORCE_GPU_ALLOW_GROWTH", "false")
    console.start_tensorflow()
    assert os.environ["TF_FORCE_GPU_ALLOW_GROWTH"] == "false"


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
