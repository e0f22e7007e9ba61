"""Trains one stage of a prepared set into a run folder."""

import dataclasses
from collections.abc import Callable, Collection
from contextlib import closing, nullcontext
from pathlib import Path

import keras
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
from pet_dcgan.training.callbacks import EpochProgress, training_callbacks
from pet_dcgan.training.checkpoint import restore
from pet_dcgan.training.devices import (
    device_lines,
    exhaustion_error,
    memory_warning,
    step_memory,
)
from pet_dcgan.training.distribution import (
    StopTogether,
    is_chief,
    reporting_lost_workers,
    require_agreement,
    require_same_training,
)
from pet_dcgan.training.resume import all_subjects, continued_run, start_from
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
    """Trains one generator and writes a complete run folder.

    With `resume` a stopped run continues from its last completed epoch and
    ends with the weights it would have had. `generator.keras` is written last,
    so a folder without it is unfinished.

    Args:
        config: What to train, from `resolve_config`.
        run_path: The run's folder; it must be free unless `resume`.
        resume: Whether to continue an unfinished run.
        subjects: Only these of the set's training subjects; all by default.
        strategy: From `training.distribution.make_strategy`: who shares each
            batch. Of several processes only the chief writes; all of them
            must see the run's folder.
        stop_on_failure: Whether to end a training that fails, see
            `pet_dcgan.training.health`.
        verbose: Keras's progress: 0 none, 1 a bar, 2 a line per epoch.
        progress: Called with completed and total epochs, after each epoch.

    Returns:
        The finished run.

    Raises:
        FileExistsError: If the folder is not free.
        FileNotFoundError: If the set, or the run to resume, is absent.
        ValueError: If data and configuration do not fit, the run to resume
            is finished or another one, or the training diverged or failed.
        ConnectionError: If another process that shares the batches is gone.
    """
    run_path = Path(run_path)
    if config.deterministic:
        keras.utils.set_random_seed(config.seed)
        tf.config.experimental.enable_op_determinism()
    if not resume and is_chief(strategy):
        require_free(run_path)
    # slices that do not fit in memory go to the run's disk
    overflow = next(p for p in run_path.absolute().parents if p.is_dir())
    slices = load_training_slices(config, subjects=subjects, overflow=overflow)
    steps_per_epoch(slices, config)  # rejects too few slices for a batch
    if strategy is not None:
        require_equal_parts(config, strategy.num_replicas_in_sync)
    few = few_subjects_warning(slices, config)
    for line in [*device_lines(config), *([few] if few else [])]:
        status(line)
    with reporting_lost_workers(strategy):
        require_same_training(strategy, config, slices, resume=resume)
        training = _Training(
            run=_open_run(run_path, config, slices, resume, strategy),
            slices=slices,
            strategy=strategy,
            stop_on_failure=stop_on_failure,
            verbose=verbose,
            progress=progress,
        )
        training.complete()
    return training.run


def _open_run(
    path: Path,
    config: TrainConfig,
    slices: Slices,
    resume: bool,
    strategy: tf.distribute.Strategy | None,
) -> Run:
    """Opens or creates the run; only the chief changes its folder."""
    if resume:
        run = continued_run(path, config, slices)
        if is_chief(strategy):
            sweep(path)
        return run
    subjects = all_subjects(config, slices)
    if is_chief(strategy):
        return Run.create(path, config, subjects)
    return Run(path, config, subjects)


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Training:
    """One process's part in training an opened run."""

    run: Run
    slices: Slices
    strategy: tf.distribute.Strategy | None
    stop_on_failure: bool
    verbose: str | int
    progress: Callable[[int, int], None] | None

    def complete(self) -> None:
        """Trains the epochs that are left, and writes the generator."""
        run, step = self.run, None
        try:
            with self.strategy.scope() if self.strategy else nullcontext():
                model = build_dcgan(run.config)
                first_epoch = restore(model, run.path / "checkpoint")
                if run.config.warm_start and not first_epoch:
                    start_from(model, run.config)
            require_agreement(self.strategy, {"last whole epoch": first_epoch})
            step = step_memory(model)
            warning = memory_warning(step, run.config.batch_size)
            if warning:
                status(warning)
            if is_chief(self.strategy):
                self._fit_and_write(model, first_epoch)
            else:
                self._fit(model, first_epoch, [])
        except tf.errors.ResourceExhaustedError as error:
            raise exhaustion_error(error, run, step) from error
        # no process leaves the others before the run is complete
        require_agreement(self.strategy, {"end": 1})

    def _fit_and_write(self, model: DCGAN, first_epoch: int) -> None:
        """Fits with all callbacks; `generator.keras` is written last."""
        run = self.run
        board = str(run.path / "tensorboard")
        with closing(tf.summary.create_file_writer(board)) as writer:
            callbacks = training_callbacks(
                run,
                self.slices,
                writer=writer,
                stop_on_failure=self.stop_on_failure,
            )
            bars = [EpochProgress(self.progress)] if self.progress else []
            self._fit(model, first_epoch, [*callbacks.values(), *bars])
        callbacks["samples"].write_montage()
        network = model.sampler_network
        if "selection" in callbacks:
            network = callbacks["selection"].best_network(model)
        run.save_generator(network)

    def _fit(self, model: DCGAN, first_epoch: int, callbacks: list) -> None:
        """Trains the epochs that are left, if any."""
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
            shuffle=False,  # the batches have their order
            callbacks=[*callbacks, StopTogether(self.strategy)],
            verbose=self.verbose if callbacks else 0,
        )
