"""Training one model on several devices or machines.

Strategies, and what worker processes must agree on.
"""

import contextlib
import hashlib
import os
from collections.abc import Iterator, Mapping

import keras
import numpy as np
import tensorflow as tf

from pet_dcgan.config import TrainConfig
from pet_dcgan.data.prepared_set import Slices
from pet_dcgan.models.optimizer_pair import rate_of
from pet_dcgan.utils.foreign_text import one_line, parse_object
from pet_dcgan.utils.progress import status

STRATEGIES = ("none", "mirrored", "multiworker")
_VARIABLE = "TF_CONFIG"
_EXAMPLE = (
    '{"cluster": {"worker": ["host0:12345", "host1:12345"]}, '
    '"task": {"type": "worker", "index": 0}}'
)
# what a step raises when the process at its other end is gone
_LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.InternalError,
)


def make_strategy(name: str = "none") -> tf.distribute.Strategy | None:
    """Selects a strategy; call it before anything is computed.

    Args:
        name: `"none"` for one device, `"mirrored"` for all GPUs of this
            machine (or all logical CPUs, where there is no GPU),
            `"multiworker"` for the machines that `TF_CONFIG` names, which
            waits until all of them have been started. With one machine it
            does the same as `"mirrored"`.

    Returns:
        TensorFlow's strategy, `None` for one device.

    Raises:
        ValueError: If the name is unknown, or contradicts `TF_CONFIG`.
    """
    if name not in STRATEGIES:
        raise ValueError(
            f"expected a strategy among {', '.join(STRATEGIES)}, found {name!r}"
        )
    workers = _workers(os.environ.get(_VARIABLE, ""))
    if name == "multiworker" and not workers:
        raise ValueError(
            f"--strategy multiworker needs {_VARIABLE}: export "
            f"{_VARIABLE}='{_EXAMPLE}' on the first of two machines, and the "
            "same with index 1 on the other"
        )
    if workers > 1 and name == "multiworker":
        status(
            f"waiting until all {workers} workers of {_VARIABLE} have started"
        )
        return tf.distribute.MultiWorkerMirroredStrategy()
    if workers > 1:
        raise ValueError(
            f"--strategy {name} contradicts the {workers} workers of "
            f"{_VARIABLE}: unset it or use --strategy multiworker"
        )
    if name == "none":
        return None
    strategy = tf.distribute.MirroredStrategy()
    if strategy.num_replicas_in_sync == 1:
        status(f"--strategy {name} found one device; none would do the same")
    return strategy


def _workers(text: str) -> int:
    """Number of workers in a `TF_CONFIG`, 0 where there is none."""
    if not text:
        return 0
    try:
        found = parse_object(text, source=_VARIABLE)
        cluster, task = found.get("cluster", {}), found.get("task", {})
        jobs = {job: list(cluster.get(job, [])) for job in ("chief", "worker")}
        addresses = jobs["chief"] + jobs["worker"]
        if addresses:
            jobs[task["type"]][int(task["index"])]
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        raise ValueError(
            f"expected {_VARIABLE} like {_EXAMPLE}, found {one_line(text)}: "
            "correct it, or unset it"
        ) from None
    return len(addresses)


def is_chief(strategy: tf.distribute.Strategy | None) -> bool:
    """Whether this process is the one that writes."""
    resolver = getattr(strategy, "cluster_resolver", None)
    if resolver is None or resolver.task_type in (None, "", "chief"):
        return True
    has_chief = "chief" in resolver.cluster_spec().jobs
    return resolver.task_id == 0 and not has_chief


def spans_processes(strategy: tf.distribute.Strategy | None) -> bool:
    """Whether other processes share each batch."""
    return isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)


@contextlib.contextmanager
def reporting_lost_workers(
    strategy: tf.distribute.Strategy | None,
) -> Iterator[None]:
    """Reports TensorFlow's errors of a lost worker as such.

    Raises:
        ConnectionError: If another worker is gone.
    """
    try:
        yield
        return
    except _LOST:
        if not spans_processes(strategy):
            raise
    # here, without its cause: that holds a pool of threads, which TensorFlow
    # leaves open and which complains at exit (tensorflow#50487)
    raise ConnectionError(
        "another worker of TF_CONFIG is gone: see its last output, then start "
        "all of them again with --resume"
    )


def require_same_training(
    strategy: tf.distribute.Strategy | None,
    config: TrainConfig,
    slices: Slices,
    *,
    resume: bool,
) -> None:
    """Rejects workers that would train different models; all must call it.

    Args:
        strategy: How batches are shared.
        config: Configuration of this worker.
        slices: Its training slices.
        resume: Whether it resumes a run.

    Raises:
        ValueError: On all workers, if they differ.
    """
    options = [
        f"{name}={value}"
        for name, value in vars(config).items()
        if name != "data_dir"  # it may differ between machines
    ]
    found = [*slices.subjects, *slices.scans, *map(str, slices.positions_mm)]
    facts = {
        "configuration": _digest(options),
        "slices": _digest(found),
        "use of --resume": int(resume),
    }
    require_agreement(strategy, facts)


def require_agreement(
    strategy: tf.distribute.Strategy | None, facts: Mapping[str, int]
) -> None:
    """Rejects workers with different values; all must call it.

    Args:
        strategy: How batches are shared.
        facts: What must be the same everywhere, by name.

    Raises:
        ValueError: On all workers, if one of the facts differs.
    """
    if not spans_processes(strategy):
        return
    found = _gathered(strategy, list(facts.values()))
    for name, values in zip(facts, found.T, strict=True):
        if len(set(values)) > 1:
            raise ValueError(
                f"the workers differ in {name}: start all of them with the "
                "same options, prepared set and run folder, on a disk that "
                "all of them see"
            )


class FollowChief(keras.callbacks.Callback):
    """Lets all workers do what callbacks of the chief have decided.

    Only the chief sees every metric and runs the user's callbacks. The others
    would wait forever for its next step where it ends the training, and make
    other steps where it changes a learning rate.

    Args:
        strategy: All its workers use this callback, as the last one.
    """

    def __init__(self, strategy: tf.distribute.Strategy | None) -> None:
        super().__init__()
        self.strategy = strategy

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Takes the chief's learning rates."""
        if not spans_processes(self.strategy):
            return
        optimizers = (self.model.g_optimizer, self.model.d_optimizer)
        own = [np.float32(rate_of(each)) for each in optimizers]
        bits = [int(rate.view(np.int32)) for rate in own]
        chiefs = _gathered(self.strategy, bits)[0]
        rates = chiefs.astype(np.int32).view(np.float32)
        for optimizer, rate in zip(optimizers, rates, strict=True):
            optimizer.learning_rate = float(rate)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Asks all workers whether to go on."""
        if spans_processes(self.strategy):
            stopping = int(self.model.stop_training)
            found = _gathered(self.strategy, [stopping])
            self.model.stop_training = bool(found.any())


def weights_digest(
    strategy: tf.distribute.Strategy | None, model: keras.Model
) -> int:
    """A number that models of other weights do not share.

    Args:
        strategy: How batches are shared; 0 within one process, where there is
            nothing to compare.
        model: The model.
    """
    if not spans_processes(strategy):
        return 0
    digest = hashlib.sha256()
    for weight in model.get_weights():
        digest.update(weight.tobytes())
    return int.from_bytes(digest.digest()[:7], "big")


def _digest(texts: list[str]) -> int:
    """A number that different texts do not share."""
    digest = hashlib.sha256("\0".join(texts).encode()).digest()
    return int.from_bytes(digest[:7], "big")


def _gathered(strategy: tf.distribute.Strategy, own: list[int]) -> np.ndarray:
    """The numbers of every replica, `[replicas, n]`; all must call it."""
    row = strategy.run(lambda: tf.constant([own], tf.int64))
    return strategy.gather(row, axis=0).numpy()
