import json

import pytest
import tensorflow as tf

from pet_dcgan.training import distribution
from pet_dcgan.training.distribution import make_strategy, scope_of

TWO = {"worker": ["a:1", "b:1"]}


@pytest.fixture
def told(monkeypatch):
    """`told(cluster, type="worker", index=0)` or `told(text)`: TF_CONFIG."""

    def told(cluster, **task):
        text = cluster
        if not isinstance(cluster, str):
            task = {"type": "worker", "index": 0} | task
            text = json.dumps({"cluster": cluster, "task": task})
        monkeypatch.setenv("TF_CONFIG", text)

    monkeypatch.delenv("TF_CONFIG", raising=False)
    return told


@pytest.fixture
def several(monkeypatch):
    """Counts the strategies of several processes that would be made."""
    made = []
    monkeypatch.setattr(
        distribution.tf.distribute,
        "MultiWorkerMirroredStrategy",
        lambda: made.append("made") or made,
    )
    return made


def test_none_is_one_device(told):
    assert make_strategy() is None
    with scope_of(None):
        assert not tf.distribute.has_strategy()


def test_mirrored_on_one_device_says_that_it_is_one(told, capsys):
    strategy = make_strategy("mirrored")
    assert isinstance(strategy, tf.distribute.MirroredStrategy)
    assert strategy.num_replicas_in_sync == 1
    assert "found one device" in capsys.readouterr().err
    with scope_of(strategy):
        assert tf.distribute.get_strategy() is strategy


def test_an_unknown_strategy_is_refused(told):
    with pytest.raises(ValueError, match="none, mirrored, multiworker"):
        make_strategy("tpu")


@pytest.mark.parametrize(
    ("cluster", "task"),
    [
        (TWO, {"index": 1}),
        ({"chief": ["a:1"], "worker": ["b:1"]}, {"type": "chief"}),
        ({"chief": ["a:1"], "worker": ["b:1"]}, {}),
    ],
)
def test_several_workers_wait_for_each_other(
    told, several, capsys, cluster, task
):
    told(cluster, **task)
    assert make_strategy("multiworker") is several == ["made"]
    assert "until all 2 workers of TF_CONFIG" in capsys.readouterr().err


def test_one_worker_is_one_machine(told, several, capsys):
    told({"worker": ["a:1"]})
    strategy = make_strategy("multiworker")
    assert isinstance(strategy, tf.distribute.MirroredStrategy)
    assert not several
    assert "multiworker found one device" in capsys.readouterr().err


@pytest.mark.parametrize("cluster", ["", "{}", {"ps": ["a:1"]}, {"worker": []}])
def test_several_workers_must_be_named(told, several, cluster):
    told(cluster)
    with pytest.raises(ValueError, match=r"found none: export TF_CONFIG='\{"):
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
def test_a_damaged_tf_config_shows_how_one_looks(
    told, several, cluster, task, name
):
    told(cluster, **task)
    with pytest.raises(ValueError, match=r"TF_CONFIG like \{.*found.*unset"):
        make_strategy(name)
    assert not several


@pytest.mark.parametrize("name", ["none", "mirrored"])
def test_several_workers_contradict_one_machine(told, name):
    told(TWO)
    with pytest.raises(ValueError, match=f"multiworker .* found {name}: "):
        make_strategy(name)
    told({"worker": ["a:1"]})
    make_strategy(name)
