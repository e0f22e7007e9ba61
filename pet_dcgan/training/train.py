"""Trains one stage of a prepared set into a run folder.

A training may continue an earlier one. With `resume` an unfinished run goes on
from its last completed epoch. A warm start (`config.warm_start`) takes the
networks of another run, such as one trained on all stages together, and begins
optimisers, EMA and steps anew; that run's subjects count as trained on, too.
"""

import dataclasses
from collections.abc import Callable, Collection
from contextlib import closing, nullcontext
from pathlib import Path

import keras
import tensorflow as tf

from pet_dcgan.config import SET_FACTS, TrainConfig
from pet_dcgan.data.batches import (
    require_equal_parts,
    steps_per_epoch,
    training_batches,
)
from pet_dcgan.data.leakage import require_disjoint, require_not_held_out
from pet_dcgan.data.prepared_set import Slices
from pet_dcgan.data.training_data import (
    few_subjects_warning,
    load_training_slices,
    resolve_config,
)
from pet_dcgan.models.configured_dcgan import build_dcgan
from pet_dcgan.models.dcgan import DCGAN
from pet_dcgan.runs.absent_run import resume_command
from pet_dcgan.runs.run import Run, require_free
from pet_dcgan.training.callbacks import EpochProgress, training_callbacks
from pet_dcgan.training.checkpoint import (
    remove_older_states,
    restore,
    start_from,
)
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
from pet_dcgan.training.interrupt import held_back
from pet_dcgan.training.kid_selection import ended_early
from pet_dcgan.training.training_progress import training_progress
from pet_dcgan.utils.files import sweep
from pet_dcgan.utils.keras_settings import keras_defaults
from pet_dcgan.utils.locks import exclusive
from pet_dcgan.utils.progress import status

__all__ = ["load_training_slices", "resolve_config", "train"]

# may differ between a run and its continuation: both may have been moved
_MOVABLE = ("data_dir", "warm_start")
# a warm start needs a run with the same values: of these, or its pixels would
# mean something else, and of the next, or its weights would not fit
_IMAGES = (*SET_FACTS, "plane", "channels")
_ARCHITECTURE = ("latent_dim", "width", "kernel_size", "spectral_norm")


@keras_defaults()
@exclusive("train", "run_path", when=lambda a: is_chief(a["strategy"]))
def train(
    config: TrainConfig,
    run_path: str | Path,
    *,
    resume: bool = False,
    subjects: Collection[str] | None = None,
    validation: Collection[str] | None = None,
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
        validation: Subjects to measure and choose the generator by instead of
            the set's validation subjects; `subjects` may then be of any of
            the set's splits. The run keeps their names.
        strategy: From `training.distribution.make_strategy`: who shares each
            batch. Of several processes only the chief writes; all of them
            must see the run's folder.
        stop_on_failure: Whether to end a training that fails, see
            `pet_dcgan.training.health`.
        verbose: 0 for nothing, 1 for a bar with the time that is left, 2 for
            a line per epoch; `"auto"` is 1 in a notebook or at a terminal, 2
            elsewhere, and 0 where there is a `progress`.
        progress: Called with completed and total epochs, after each epoch.

    Returns:
        The finished run.

    Raises:
        BlockingIOError: If another process works in the folder.
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
    slices = load_training_slices(
        config, subjects=subjects, validation=validation, overflow=overflow
    )
    steps_per_epoch(slices, config)  # rejects too few slices for a batch
    if strategy is not None:
        require_equal_parts(config.batch_size, strategy.num_replicas_in_sync)
    lines = [*device_lines(config), few_subjects_warning(slices, config)]
    for line in filter(None, lines):
        status(line)
    with reporting_lost_workers(strategy):
        require_same_training(strategy, config, slices, resume=resume)
        training = _Training(
            run=_open_run(
                run_path, config, slices, validation, resume, strategy
            ),
            slices=slices,
            strategy=strategy,
            stop_on_failure=stop_on_failure,
            verbose=0 if progress and verbose == "auto" else verbose,
            progress=progress,
        )
        training.complete()
    return training.run


def all_subjects(config: TrainConfig, slices: Slices) -> list[str]:
    """Every subject of a new run: its own and those of its warm start.

    Args:
        config: `warm_start` names the earlier run, if there is one.
        slices: The training slices.

    Raises:
        FileNotFoundError: If there is no such run, or it has no state.
        ValueError: If it has other images or another architecture, or one of
            its subjects is now held out.
    """
    subjects = set(slices.subjects)
    if config.warm_start:
        earlier = _warm_start_run(config)
        seen = [*earlier.subjects, *earlier.validation]
        require_not_held_out(seen, config.data_dir, config.dataset)
        subjects |= set(earlier.subjects)
    return sorted(subjects)


def _open_run(
    path: Path,
    config: TrainConfig,
    slices: Slices,
    validation: Collection[str] | None,
    resume: bool,
    strategy: tf.distribute.Strategy | None,
) -> Run:
    """Opens or creates the run; only the chief changes its folder."""
    held_out = sorted(set(validation or ()))
    if resume:
        run = Run.open(path)
        _require_same_run(run, config, slices, held_out)
        if is_chief(strategy):
            sweep(path)
            # a process killed after its last epoch may have kept one more
            remove_older_states(path / "checkpoint")
        return run
    subjects = all_subjects(config, slices)
    require_disjoint(subjects, held_out)
    if is_chief(strategy):
        return Run.create(path, config, subjects, held_out)
    return Run(path, config, subjects, held_out)


def _require_same_run(
    run: Run, config: TrainConfig, slices: Slices, validation: list[str]
) -> None:
    """Refuses to resume a run that is finished or not the one meant."""
    if run.finished:
        raise ValueError(
            f"the run in {run.path} is finished: leave out --resume and "
            "choose another --run"
        )
    before, now = vars(run.config), vars(config)
    changed = [
        f"{name} {now[name]} instead of {before[name]}"
        for name in now
        if now[name] != before[name] and name not in _MOVABLE
    ]
    if changed:
        raise ValueError(
            f"expected the configuration of {run.path}, found "
            f"{', '.join(changed)}: resume with the options of its start, "
            f"{resume_command(run.config, run.path)}"
        )
    own = set(slices.subjects)
    trained_on = set(run.subjects)
    if run.config.warm_start:
        require_not_held_out(run.subjects, config.data_dir, config.dataset)
        trained_on &= own  # it names those of the earlier run, too
    if trained_on != own or run.validation != validation:
        raise ValueError(
            f"expected the {len(run.subjects)} subjects of {run.path}, found "
            f"{len(own)} others in the set: it was prepared anew, train under "
            "another --run"
        )


def _warm_start_run(config: TrainConfig) -> Run:
    """Opens the run that `config.warm_start` names and checks that it fits."""
    run = Run.open(config.warm_start)
    for name in (*_IMAGES, *_ARCHITECTURE):
        wanted, found = getattr(config, name), getattr(run.config, name)
        if wanted != found:
            remedy = f" or --set {name}={found}" * (name in _ARCHITECTURE)
            raise ValueError(
                f"expected --warm-start from a run of {name} {wanted}, found "
                f"{found} in {run.path}: name another run{remedy}"
            )
    if not any((run.path / "checkpoint").glob("state_*.npz")):
        raise FileNotFoundError(
            f"the run in {run.path} has no state to start from: name a run "
            "that has completed an epoch"
        )
    return run


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
                    earlier = _warm_start_run(run.config)
                    start_from(model, earlier.path / "checkpoint")
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
            # it draws a montage even where no epoch is left
            callbacks["samples"].set_model(model)
            if self.progress:
                callbacks["progress"] = EpochProgress(self.progress)
            self._fit(model, first_epoch, list(callbacks.values()))
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
        label = f"{config.stage} epochs"
        verbose = self.verbose if callbacks else 0
        with (
            training_progress(verbose, label) as shown,
            held_back() as interrupts,
        ):
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
                callbacks=[
                    *callbacks,
                    *shown,
                    StopTogether(self.strategy),
                    *interrupts,
                ],
                verbose=0,
            )
