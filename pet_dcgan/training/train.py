"""One stage of a prepared set to a run folder."""

import contextlib
import dataclasses
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import tensorflow as tf

from pet_dcgan.config import TrainConfig
from pet_dcgan.data.batches import (
    require_equal_parts,
    steps_per_epoch,
    training_batches,
)
from pet_dcgan.data.prepared_set import Slices
from pet_dcgan.data.training_data import (
    few_subjects_warning,
    load_training_slices,
    resolve_config,
)
from pet_dcgan.models.dcgan import DCGAN, build_dcgan
from pet_dcgan.runs.run import Run, require_free
from pet_dcgan.runs.selection_log import ended_early
from pet_dcgan.training.callback_list import (
    TrainingCallbacks,
    training_callbacks,
)
from pet_dcgan.training.callbacks import EpochProgress
from pet_dcgan.training.checkpoint import restore
from pet_dcgan.training.devices import (
    be_deterministic,
    chosen_device,
    exhausted,
    memory_warning,
    slow_settings,
    step_memory,
)
from pet_dcgan.training.distribution import (
    LOST,
    StopTogether,
    is_chief,
    lost_worker,
    require_agreement,
    require_same_training,
    scope_of,
    spans_processes,
)
from pet_dcgan.training.resume import continued_run, start_from, subjects_behind
from pet_dcgan.utils.files import sweep
from pet_dcgan.utils.progress import status

__all__ = ["load_training_slices", "resolve_config", "train"]


def train(
    config: TrainConfig,
    run_path: str | Path,
    *,
    resume: bool = False,
    subjects: Collection[str] | None = None,
    strategy: tf.distribute.Strategy | None = None,
    stop_on_failure: bool = False,
    verbose: str | int = "auto",
    progress: Callable[[int, int], None] | None = None,
) -> Run:
    """Trains one generator and leaves a whole run folder.

    A run that was stopped goes on from its last whole epoch with `resume`,
    and ends with the weights it would have had. `generator.keras` comes last,
    so a folder without it is unfinished.

    Args:
        config: What to train, from `resolve_config`.
        run_path: The run's folder; it must be free unless `resume`.
        resume: Whether to go on with an unfinished run.
        subjects: Only these of the set's training subjects; all if unset.
        strategy: From `training.distribution.make_strategy`: who shares each
            batch. Of several processes the chief alone writes; all of them
            must see the run's folder.
        stop_on_failure: Whether a training that fails is ended, see
            `pet_dcgan.training.health.states`.
        verbose: Keras's progress: 0 none, 1 a bar, 2 a line an epoch.
        progress: Called with epochs done and in all, after each epoch.

    Returns:
        The finished run.

    Raises:
        FileExistsError: If the folder is not free.
        FileNotFoundError: If the set, or the run to go on with, is absent.
        ValueError: If data and configuration do not fit, the run to go on
            with is finished or another one, or the training diverged or
            failed.
        ConnectionError: If another process that shares the batches is gone.
    """
    run_path = Path(run_path)
    if config.deterministic:
        be_deterministic(config.seed)
    if not resume and is_chief(strategy):
        require_free(run_path)
    slices = load_training_slices(
        config, subjects=subjects, overflow=_existing(run_path)
    )
    _require_trainable(slices, config, strategy)
    with _in_words(strategy):
        require_same_training(strategy, config, slices, resume=resume)
        training = _Training(
            run=_opened(run_path, config, slices, resume, strategy),
            slices=slices,
            strategy=strategy,
            stop_on_failure=stop_on_failure,
            verbose=verbose,
            progress=progress,
        )
        return training.to_its_end()


def _require_trainable(
    slices: Slices, config: TrainConfig, strategy: tf.distribute.Strategy | None
) -> None:
    """Refuses what cannot be trained before anything is written."""
    steps_per_epoch(slices, config)
    if strategy is not None:
        require_equal_parts(config, strategy.num_replicas_in_sync)
    warning = few_subjects_warning(slices, config)
    runs_on = f"runs on {chosen_device()}"
    for line in [runs_on, warning, *slow_settings(config)]:
        if line:
            status(line)


def _opened(
    path: Path,
    config: TrainConfig,
    slices: Slices,
    resume: bool,
    strategy: tf.distribute.Strategy | None,
) -> Run:
    """The run on disk; a process that does not write makes no folder."""
    if resume:
        run = continued_run(path, config, slices)
        if is_chief(strategy):
            sweep(path)
        return run
    subjects = subjects_behind(config, slices)
    if is_chief(strategy):
        return Run.create(path, config, subjects)
    return Run(path, config, subjects)


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Training:
    """One process's part in a training whose run has been opened."""

    run: Run
    slices: Slices
    strategy: tf.distribute.Strategy | None
    stop_on_failure: bool
    verbose: str | int
    progress: Callable[[int, int], None] | None

    def to_its_end(self) -> Run:
        """Trains all epochs that are not behind, and writes the generator."""
        step = None
        try:
            with scope_of(self.strategy):
                model = build_dcgan(self.run.config)
                first_epoch = self._start(model)
            require_agreement(self.strategy, {"last whole epoch": first_epoch})
            step = step_memory(model)
            warning = memory_warning(step, self.run.config)
            if warning:
                status(warning)
            self._fit_and_finish(model, first_epoch)
        except tf.errors.ResourceExhaustedError as error:
            raise exhausted(error, self.run, step) from error
        # no process leaves the others before the run is whole
        require_agreement(self.strategy, {"end": 1})
        return self.run

    def _start(self, model: DCGAN) -> int:
        """Restores what a model resumes from; returns the completed epochs."""
        config = self.run.config
        first_epoch = restore(model, self.run.path / "checkpoint")
        if config.warm_start and not first_epoch:
            start_from(model, config)
        return first_epoch

    def _fit_and_finish(self, model: DCGAN, first_epoch: int) -> None:
        if not is_chief(self.strategy):
            self._fit(model, first_epoch, [])
            return
        board = str(self.run.path / "tensorboard")
        writer = tf.summary.create_file_writer(board)
        with contextlib.closing(writer):
            callbacks = training_callbacks(
                self.run,
                self.slices,
                writer=writer,
                stop_on_failure=self.stop_on_failure,
            )
            told = [EpochProgress(self.progress)] if self.progress else []
            self._fit(model, first_epoch, [*callbacks.in_order(), *told])
        _finish(model, self.run, callbacks)

    def _fit(self, model: DCGAN, first_epoch: int, callbacks: list) -> None:
        config = self.run.config
        if first_epoch >= config.epochs or ended_early(
            self.run.path, epoch=first_epoch, patience=config.patience
        ):
            return
        model.fit(
            training_batches(
                self.slices,
                config,
                first_epoch=first_epoch,
                strategy=self.strategy,
            ),
            steps_per_epoch=steps_per_epoch(self.slices, config),
            initial_epoch=first_epoch,
            epochs=config.epochs,
            shuffle=False,  # the batches come in their order
            callbacks=[*callbacks, StopTogether(self.strategy)],
            verbose=self.verbose if callbacks else 0,
        )


def _finish(model: DCGAN, run: Run, callbacks: TrainingCallbacks) -> None:
    """What is made of a training's end; `generator.keras` comes last."""
    callbacks.samples.write_montage()
    network = model.sampler_network
    if callbacks.selection is not None:
        network = callbacks.selection.best_network(model)
    run.save_generator(network)


@contextlib.contextmanager
def _in_words(strategy: tf.distribute.Strategy | None) -> Iterator[None]:
    """Tells the loss of another process as what it is."""
    try:
        yield
        return
    except LOST:
        if not spans_processes(strategy):
            raise
    # here, without its cause: that holds a pool of threads, which TensorFlow
    # leaves open and which complains at exit (tensorflow#50487)
    raise lost_worker()


def _existing(path: Path) -> Path:
    """The folder nearest to `path` that exists."""
    return next(p for p in path.absolute().parents if p.is_dir())
