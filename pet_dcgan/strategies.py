"""Several devices, or several machines, that train one model together."""

import contextlib
import json
import os

import tensorflow as tf

from pet_dcgan.notices import say

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
        say(f"--strategy {name} found one device; none would be the same")
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
    say(f"waits until all {workers} workers of {VARIABLE} have been started")
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
