"""The start of TensorFlow, on its own terms and without its messages."""

import importlib
import os
import sys


def start_tensorflow(*, gpu: bool = True) -> None:
    """Imports TensorFlow without its startup messages, which look like errors.

    A notebook calls it before anything else that imports TensorFlow.

    Args:
        gpu: Whether to use a GPU; if not, its memory is left to others.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # the process is ours, whatever other programs of the user run on
    os.environ["KERAS_BACKEND"] = "tensorflow"
    # memory as it is needed; else the first process takes all of a GPU's
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    if not gpu:
        os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    # C++ writes to the file descriptor itself
    sys.stderr.flush()
    kept = os.dup(2)
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        importlib.import_module("tensorflow")
    finally:
        os.dup2(kept, 2)
        os.close(kept)
