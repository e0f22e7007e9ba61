"""Strategies and workers as far as one process can tell.

Real replicas are in test_shared_training.py.
"""

import dataclasses
import json
import types

import numpy as np
import pytest
import tensorflow as tf

from pet_dcgan.data.training_data import load_training_slices
from pet_dcgan.training import distribution
from pet_dcgan.training.distribution import (
    FollowChief,
    is_chief,
    make_strategy,
    reporting_lost_workers,
    require_agreement,
    require_same_training,
    spans_processes,
)

TWO = {"worker": ["a:1", "b:1"]}
WITH_CHIEF = {"chief": ["a:1"], "worker": ["b:1"]}


@pytest.fixture
def configured(monkeypatch):
    """`configured(cluster, type="worker", index=0)` or of text: TF_CONFIG."""

    def configured(cluster, **task):
        text = cluster
        if not isinstance(cluster, str):
            task = {"type": "worker", "index": 0} | task
            text = json.dumps({"cluster": cluster, "task": task})
        monkeypatch.setenv("TF_CONFIG", text)

    monkeypatch.delenv("TF_CONFIG", raising=False)
    return configured


@pytest.fixture
def several(monkeypatch):
    """The strategies of several processes that would be made."""
    made = []
    monkeypatch.setattr(
        distribution.tf.distribute,
        "MultiWorkerMirroredStrategy",
        lambda: made.append("made") or made,
    )
    return made


@pytest.mark.parametrize(
    ("cluster", "task"),
    [(TWO, {"index": 1}), (WITH_CHIEF, {"type": "chief"}), (WITH_CHIEF, {})],
)
def test_several_workers_wait_for_each_other(
    configured, several, capsys, cluster, task
):
    configured(cluster, **task)
    assert make_strategy("multiworker") is several == ["made"]
    assert "until all 2 workers of TF_CONFIG" in capsys.readouterr().err


def test_one_worker_is_one_machine(configured, several, capsys):
    configured({"worker": ["a:1"]})
    assert make_strategy() is None
    strategy = make_strategy("multiworker")
    assert isinstance(strategy, tf.distribute.MirroredStrategy)
    assert strategy.num_replicas_in_sync == 1
    assert not several
    assert "multiworker found one device" in capsys.readouterr().err


@pytest.mark.parametrize("cluster", ["", "{}", {"ps": ["a:1"]}, {"worker": []}])
def test_several_workers_must_be_named(configured, several, cluster):
    configured(cluster)
    with pytest.raises(ValueError, match=r"export TF_CONFIG='\{"):
        make_strategy("multiworker")
    assert not several
    assert make_strategy() is None


@pytest.mark.parametrize(
    ("cluster", "task"),
    [
        ("{", {}),
        ("[1]", {}),
        ('{"cluster": 3}', {}),
        ('{"cluster": {"worker": 3}, "task": {}}', {}),
        (TWO, {"index": 2}),
        (TWO, {"index": "first"}),
        (TWO, {"type": "evaluator"}),
        ('{"cluster": {"worker": ["a:1"]}}', {}),
    ],
)
@pytest.mark.parametrize("name", ["none", "multiworker"])
def test_a_damaged_tf_config_is_shown_an_example(
    configured, several, cluster, task, name
):
    configured(cluster, **task)
    with pytest.raises(ValueError, match=r"TF_CONFIG like \{.*found.*unset"):
        make_strategy(name)
    assert not several


def test_another_strategy_is_refused(configured):
    configured(TWO)
    for name, message in (
        ("none", "--strategy none contradicts the 2 workers"),
        ("mirrored", "--strategy mirrored contradicts the 2 workers"),
        ("tpu", "among none, mirrored, multiworker, found 'tpu'"),
    ):
        with pytest.raises(ValueError, match=message):
            make_strategy(name)


def of_task(kind, index, jobs=("worker",)):
    """A strategy as far as `is_chief` reads it."""
    resolver = types.SimpleNamespace(
        task_type=kind,
        task_id=index,
        cluster_spec=lambda: types.SimpleNamespace(jobs=list(jobs)),
    )
    return types.SimpleNamespace(cluster_resolver=resolver)


@pytest.mark.parametrize(
    ("strategy", "chief"),
    [
        (None, True),
        (of_task(None, None), True),
        (of_task("worker", 0), True),
        (of_task("worker", 1), False),
        (of_task("chief", 0, jobs=["chief", "worker"]), True),
        (of_task("worker", 0, jobs=["chief", "worker"]), False),
    ],
)
def test_one_process_writes(strategy, chief):
    assert is_chief(strategy) is chief
    assert not spans_processes(strategy)


@pytest.fixture
def others(monkeypatch):
    """`others(n)`: another worker, each of whose numbers is larger by `n`."""
    monkeypatch.setattr(distribution, "spans_processes", lambda strategy: True)
    return lambda larger: monkeypatch.setattr(
        distribution,
        "_gathered",
        lambda strategy, own: np.array([own, np.add(own, larger)]),
    )


def test_workers_that_differ_are_refused_by_what_differs(others):
    facts = {"configuration": 5, "slices": 7}
    others([0, 1])
    with pytest.raises(ValueError, match="the workers differ in slices"):
        require_agreement("two", facts)
    others([0, 0])
    require_agreement("two", facts)


def test_all_that_matters_is_compared(tiny_config, monkeypatch):
    found = []
    monkeypatch.setattr(
        distribution,
        "require_agreement",
        lambda strategy, facts: found.append(facts),
    )
    config = tiny_config()
    slices = load_training_slices(config)
    fewer = dataclasses.replace(slices, scans=slices.scans[:-1])
    moved = dataclasses.replace(config, data_dir="/elsewhere")
    for each, data, resume in (
        (config, slices, False),
        (moved, slices, False),
        (tiny_config(seed=1), slices, False),
        (config, fewer, False),
        (config, slices, True),
    ):
        require_same_training("two", each, data, resume=resume)
    same, elsewhere, *others = found
    assert same == elsewhere
    differing = [{k for k in same if same[k] != o[k]} for o in others]
    assert differing == [{"configuration"}, {"slices"}, {"use of --resume"}]
    assert all(0 <= n < 2**63 for facts in found for n in facts.values())


def test_one_worker_stops_all(others):
    callback = FollowChief("two")
    callback.set_model(types.SimpleNamespace(stop_training=False))
    for stops in (0, 1):
        others([stops])
        callback.on_epoch_end(0)
        assert callback.model.stop_training is bool(stops)


@pytest.mark.parametrize(
    ("several", "error"),
    [(True, ConnectionError), (False, tf.errors.UnavailableError)],
)
def test_a_lost_worker_is_reported_as_such(monkeypatch, several, error):
    monkeypatch.setattr(distribution, "spans_processes", lambda _: several)
    with pytest.raises(error) as found, reporting_lost_workers("strategy"):
        raise tf.errors.UnavailableError(None, None, "Connection reset")
    assert ("--resume" in str(found.value)) is several
    assert "\n" not in str(found.value)
