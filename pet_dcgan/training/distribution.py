"""Several devices or machines that train one model together.

Strategies, and what worker processes agree on: who writes, and who goes on.
"""

import contextlib
import functools
import hashlib
import json
import os
from collections.abc import Mapping

import keras
import numpy as np
import tensorflow as tf

from pet_dcgan.config import TrainConfig
from pet_dcgan.data.prepared_set import Slices
from pet_dcgan.utils.progress import status

STRATEGIES = ("none", "mirrored", "multiworker")
VARIABLE = "TF_CONFIG"
_EXAMPLE = (
    '{"cluster": {"worker": ["host0:12345", "host1:12345"]}, '
    '"task": {"type": "worker", "index": 0}}'
)


def make_strategy(name: str = "none") -> tf.distribute.Strategy | None:
    """Who shares the batches; call it before anything is computed.

    Args:
        name: `"none"` for one device, `"mirrored"` for all GPUs of this
            machine (or all logical CPUs, where there is no GPU),
            `"multiworker"` for the machines that `TF_CONFIG` names. That one
            waits until all of them have been started; where it names one, it
            is as `"mirrored"`.

    Returns:
        TensorFlow's strategy, `None` for one device.

    Raises:
        ValueError: If the name is unknown, or contradicts `TF_CONFIG`.
    """
    if name not in STRATEGIES:
        raise ValueError(
            f"expected a strategy among {', '.join(STRATEGIES)}, found {name!r}"
        )
    workers = _workers(os.environ.get(VARIABLE, ""))
    if name == "multiworker" and workers != 1:
        return _multiworker(workers)
    if workers > 1:
        raise ValueError(
            f"expected --strategy multiworker with the {workers} workers of "
            f"{VARIABLE}, found {name}: change one of them"
        )
    if name == "none":
        return None
    strategy = tf.distribute.MirroredStrategy()
    if strategy.num_replicas_in_sync == 1:
        status(f"--strategy {name} found one device; none would be the same")
    return strategy


def scope_of(
    strategy: tf.distribute.Strategy | None,
) -> contextlib.AbstractContextManager:
    """Where to make the model, so that every device has its variables."""
    return contextlib.nullcontext() if strategy is None else strategy.scope()


def _multiworker(workers: int) -> tf.distribute.Strategy:
    if not workers:
        raise ValueError(
            f"expected the workers of --strategy multiworker in {VARIABLE}, "
            f"found none: export {VARIABLE}='{_EXAMPLE}' on the first of two "
            "machines, and the same with index 1 on the other"
        )
    status(f"waits until all {workers} workers of {VARIABLE} have been started")
    return tf.distribute.MultiWorkerMirroredStrategy()


def _workers(text: str) -> int:
    """Workers that a `TF_CONFIG` names, 0 where there is none."""
    if not text:
        return 0
    try:
        told = json.loads(text)
        cluster, task = told.get("cluster", {}), told.get("task", {})
        jobs = {job: list(cluster.get(job, [])) for job in ("chief", "worker")}
        addresses = jobs["chief"] + jobs["worker"]
        if not addresses:
            return 0
        jobs[task["type"]][int(task["index"])]
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        raise ValueError(
            f"expected {VARIABLE} like {_EXAMPLE}, found {text[:200]!r}: "
            "correct it, or unset it"
        ) from None
    return len(addresses)


# what a step raises when the process at its other end is gone
LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.InternalError,
)
# where each machine keeps its data
_PLACES = ("data_dir", "warm_start")


def is_chief(strategy: tf.distribute.Strategy | None) -> bool:
    """Whether this process is the one that writes."""
    resolver = getattr(strategy, "cluster_resolver", None)
    if resolver is None or not resolver.task_type:
        return True
    if resolver.task_type == "chief":
        return True
    jobs = resolver.cluster_spec().jobs
    return "chief" not in jobs and resolver.task_id == 0


def spans_processes(strategy: tf.distribute.Strategy | None) -> bool:
    """Whether other processes have a part in each batch."""
    return isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)


def require_same_training(
    strategy: tf.distribute.Strategy | None,
    config: TrainConfig,
    slices: Slices,
    *,
    resume: bool,
) -> None:
    """Refuses workers that would train different models; all have to call it.

    Args:
        strategy: Of which all workers are asked.
        config: What this one was told.
        slices: What it found in its prepared set.
        resume: Whether it goes on with a run.

    Raises:
        ValueError: If they differ, on all workers.
    """
    told = [
        f"{name}={value}"
        for name, value in vars(config).items()
        if name not in _PLACES
    ]
    found = [*slices.subjects, *slices.scans, *map(str, slices.positions_mm)]
    facts = {
        "configuration": _number(told),
        "slices": _number(found),
        "use of --resume": int(resume),
    }
    require_agreement(strategy, facts)


def require_agreement(
    strategy: tf.distribute.Strategy | None, facts: Mapping[str, int]
) -> None:
    """Refuses workers that were told different things; all have to call it.

    Args:
        strategy: Of which all workers are asked.
        facts: What has to be the same everywhere, by its name.

    Raises:
        ValueError: If one of them differs between workers, on all of them.
    """
    if not spans_processes(strategy):
        return
    found = _gathered(strategy, list(facts.values()))
    for name, values in zip(facts, found.T, strict=True):
        if len(set(values)) > 1:
            raise ValueError(
                f"expected the same {name} on every worker, found different "
                "ones: start all of them with the same options, prepared "
                "set and run folder, on a disk that all of them see"
            )


class StopTogether(keras.callbacks.Callback):
    """Ends the training of all workers when one of them ends its own.

    The chief alone looks at the metrics that stop a training early; the
    others would wait for its next step for ever.

    Args:
        strategy: Of which all workers use this callback, as the last one.
    """

    def __init__(self, strategy: tf.distribute.Strategy | None) -> None:
        super().__init__()
        self.strategy = strategy

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Asks all workers whether to go on."""
        if spans_processes(self.strategy):
            votes = _gathered(self.strategy, [int(self.model.stop_training)])
            self.model.stop_training = bool(votes.any())


def lost_worker() -> ConnectionError:
    """What to say when a step ended because another worker did."""
    return ConnectionError(
        "expected every worker of TF_CONFIG to go on, found one gone: see "
        "what it said last, then start all of them again with --resume"
    )


def _number(texts: list[str]) -> int:
    digest = hashlib.sha256("\0".join(texts).encode()).digest()
    return int.from_bytes(digest[:7], "big")


def _gathered(strategy: tf.distribute.Strategy, own: list[int]) -> np.ndarray:
    """The numbers of every replica, `[replicas, n]`; all have to call it."""
    return _gather_function(strategy)(tf.constant([own], tf.int64)).numpy()


@functools.cache  # one for each strategy, or every call would trace anew
def _gather_function(strategy: tf.distribute.Strategy):
    replicas = strategy.num_replicas_in_sync

    def gather(row: tf.Tensor) -> tf.Tensor:
        context = tf.distribute.get_replica_context()
        own = context.replica_id_in_sync_group
        place = tf.one_hot(own, replicas, dtype=tf.int64)[:, tf.newaxis]
        return context.all_reduce(tf.distribute.ReduceOp.SUM, place * row)

    @tf.function
    def everywhere(row: tf.Tensor) -> tf.Tensor:
        found = strategy.run(gather, args=(row,))
        return strategy.experimental_local_results(found)[0]

    return everywhere
