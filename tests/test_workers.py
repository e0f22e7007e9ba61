import dataclasses
import types

import keras
import numpy as np
import pytest
import tensorflow as tf

from pet_dcgan.data.prepared_set import load_slices
from pet_dcgan.training import distribution
from pet_dcgan.training.distribution import (
    StopTogether,
    is_chief,
    lost_worker,
    require_agreement,
    require_same_training,
    spans_processes,
)


def of_task(kind, index, jobs=("worker",)):
    """A strategy as far as `is_chief` looks at it."""
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


def test_one_machine_has_no_other_processes():
    assert is_chief(tf.distribute.MirroredStrategy())
    assert not spans_processes(tf.distribute.MirroredStrategy())
    assert not spans_processes(None)


@pytest.fixture
def others(monkeypatch):
    """`others(n)`: another worker, each of whose numbers is larger by `n`.

    Real ones are in test_shared_training.py.
    """

    def others(larger):
        monkeypatch.setattr(
            distribution, "spans_processes", lambda strategy: True
        )
        monkeypatch.setattr(
            distribution,
            "_gathered",
            lambda strategy, own: np.array([own, np.add(own, larger)]),
        )

    return others


def test_workers_that_differ_are_refused_by_what_differs(others):
    others([0, 1])
    with pytest.raises(ValueError, match="the same slices on every worker"):
        require_agreement("two", {"configuration": 5, "slices": 7})
    others([0, 0])
    require_agreement("two", {"configuration": 5, "slices": 7})


def test_one_process_agrees_with_itself():
    require_agreement(None, {"configuration": 5})


def test_what_is_compared_depends_on_all_that_matters(
    toy_set, tiny_config, monkeypatch
):
    found = []
    monkeypatch.setattr(
        distribution,
        "require_agreement",
        lambda strategy, facts: found.append(facts),
    )
    where = {"split": "train", "stage": "AD", "plane": "axial"}
    slices = load_slices(toy_set, "axial_32", **where)
    fewer = dataclasses.replace(slices, scans=slices.scans[:-1])
    moved = dataclasses.replace(tiny_config(), data_dir="/elsewhere")
    for config, data, resume in (
        (tiny_config(), slices, False),
        (moved, slices, False),
        (tiny_config(seed=1), slices, False),
        (tiny_config(), fewer, False),
        (tiny_config(), slices, True),
    ):
        require_same_training("two", config, data, resume=resume)
    same, elsewhere, *others = found
    assert same == elsewhere
    differing = [{k for k in same if same[k] != o[k]} for o in others]
    assert differing == [{"configuration"}, {"slices"}, {"use of --resume"}]
    assert all(0 <= n < 2**63 for facts in found for n in facts.values())


def test_one_worker_stops_all(others):
    callback = StopTogether("two")
    callback.set_model(types.SimpleNamespace(stop_training=False))
    others([0])
    callback.on_epoch_end(0)
    assert callback.model.stop_training is False
    others([1])
    callback.on_epoch_end(1)
    assert callback.model.stop_training is True


def test_one_process_stops_by_itself():
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    x = np.ones([2, 1])
    history = model.fit(
        x, x, epochs=2, verbose=0, callbacks=[StopTogether(None)]
    )
    assert len(history.epoch) == 2


def test_a_lost_worker_names_the_remedy():
    assert "--resume" in str(lost_worker())
    assert "\n" not in str(lost_worker())
