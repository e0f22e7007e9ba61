"""Ctrl-C ends a training between two steps, not while one is computed."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

import keras

from pet_dcgan.utils.progress import status

_AT_ONCE = "Ctrl-C again stops at once"
_FIRST_STEP_LINE = (
    f"stopping after the first step, which takes longest; {_AT_ONCE}"
)
_EPOCH_LINE = f"stopping once what ends this epoch is done; {_AT_ONCE}"


class StopBetweenSteps(keras.callbacks.Callback):
    """Holds a Ctrl-C back until the step, or the end of an epoch, is over.

    Interrupted while TensorFlow computes, its threads go on with what Python
    has given up, and the process sometimes ended in a segmentation fault
    instead of its last line. What ends an epoch (an evaluation, samples, the
    state) computes as well. A second Ctrl-C stops at once. Use `held_back`,
    and let it be the last callback.
    """

    def __init__(self) -> None:
        super().__init__()
        self._before = signal.getsignal(signal.SIGINT)
        self._line = _FIRST_STEP_LINE
        self._received: tuple[int, FrameType | None] | None = None

    def receive(self, number: int, frame: FrameType | None) -> None:
        """Keeps the signal for later; handles a second one now.

        Args:
            number: Of the signal.
            frame: What was interrupted.

        Raises:
            KeyboardInterrupt: By Python's own handler.
        """
        if self._received is None:
            self._received = number, frame
            if self._line:
                status(self._line)
        else:
            self._received = None
            self._before(number, frame)

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Ends the training if that was asked for at the end of an epoch."""
        self.release()

    def on_train_batch_begin(self, batch: int, logs: dict | None = None):
        """Begins a step; a short one is waited for without a line."""
        self.release()
        if self._line != _FIRST_STEP_LINE:
            self._line = ""

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Ends a step, and the training if that was asked for."""
        self._line = _EPOCH_LINE
        self.release()

    def release(self) -> None:
        """Handles a signal that was held back.

        Raises:
            KeyboardInterrupt: As in `receive`, if there is one.
        """
        if self._received is not None:
            received, self._received = self._received, None
            self._before(*received)


@contextlib.contextmanager
def held_back() -> Iterator[list[keras.callbacks.Callback]]:
    """Handles Ctrl-C by a callback, where it is handled in Python at all.

    Yields:
        The callback for `fit`; none in a thread, which receives no signals,
        or where the program has its own way with them.

    Raises:
        KeyboardInterrupt: Also in place of the error of a step that fails
            after a Ctrl-C, such as that of a lost worker.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or not callable(signal.getsignal(signal.SIGINT)):
        yield []
        return
    callback = StopBetweenSteps()
    before = signal.signal(signal.SIGINT, callback.receive)
    try:
        yield [callback]
    finally:
        signal.signal(signal.SIGINT, before)
        callback.release()
