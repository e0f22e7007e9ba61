"""Trains one stage of a prepared set into a run folder.

With `resume` an unfinished run goes on from its last completed epoch.
"""

import dataclasses
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path

import keras
import tensorflow as tf

from pet_dcgan.config import OWN, TrainConfig
from pet_dcgan.data.batches import (
    require_equal_parts,
    steps_per_epoch,
    training_batches,
)
from pet_dcgan.data.conditional_slices import conditions_for
from pet_dcgan.data.prepared_set import Slices
from pet_dcgan.data.training_data import (
    few_subjects_warning,
    load_training_slices,
    resolve_config,
)
from pet_dcgan.models.configured_dcgan import build_dcgan
from pet_dcgan.models.dcgan import DCGAN
from pet_dcgan.models.network_config import copied, describe, rebuild
from pet_dcgan.models.own_networks import Network, own_networks
from pet_dcgan.models.tissue_mean import adapt_tissue_mean
from pet_dcgan.runs.fixed_files import RunFacts, require_free
from pet_dcgan.runs.run import Run
from pet_dcgan.runs.selection_log import ended_early
from pet_dcgan.training.callbacks import EpochProgress, training_callbacks
from pet_dcgan.training.checkpoint import has_state, keep_start, restore
from pet_dcgan.training.devices import (
    device_lines,
    exhaustion_error,
    memory_warning,
    step_memory,
)
from pet_dcgan.training.distribution import (
    FollowChief,
    is_chief,
    reporting_lost_workers,
    require_agreement,
    require_same_training,
    weights_digest,
)
from pet_dcgan.training.interrupt import held_back
from pet_dcgan.training.opening import new_run, unfinished_run
from pet_dcgan.training.training_progress import training_progress
from pet_dcgan.training.user_callbacks import (
    require_suitable,
    with_user_callbacks,
)
from pet_dcgan.utils.keras_settings import keras_defaults
from pet_dcgan.utils.locks import exclusive
from pet_dcgan.utils.progress import status

__all__ = ["load_training_slices", "resolve_config", "train"]


@keras_defaults()
@exclusive("train", "run_path", when=lambda a: is_chief(a["strategy"]))
def train(
    config: TrainConfig,
    run_path: str | Path,
    *,
    resume: bool = False,
    subjects: Collection[str] | None = None,
    validation: Collection[str] | None = None,
    generator: Network | None = None,
    discriminator: Network | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
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
        generator: In place of ours: a functional or Sequential Keras model,
            whose copy is trained from its weights on, or a function of the
            configuration that makes one.
        discriminator: The same for the discriminator, which ends in logits.
        callbacks: Of the user; each epoch they come after health, samples and
            KID (`val_kid` is in their logs), and before log and state.
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
        TypeError: If a network or a callback is none of Keras.
        ValueError: If data, networks and configuration do not fit, the run
            to resume is finished or another one, or the training diverged or
            failed.
        ConnectionError: If another process that shares the batches is gone.
    """
    run_path = Path(run_path)
    _require_settings(config)
    require_suitable(callbacks)
    if config.deterministic:
        keras.utils.set_random_seed(config.seed)
        tf.config.experimental.enable_op_determinism()
    chief = is_chief(strategy)
    if not resume and chief:
        require_free(run_path)
    # slices that do not fit in memory go to the run's disk
    overflow = next(p for p in run_path.absolute().parents if p.is_dir())
    slices = load_training_slices(
        config, subjects=subjects, validation=validation, overflow=overflow
    )
    steps_per_epoch(slices, config)  # rejects too few slices for a batch
    if strategy is not None:
        require_equal_parts(config.batch_size, strategy.num_replicas_in_sync)
    with _scope(strategy):
        own = own_networks(
            config, generator=generator, discriminator=discriminator
        )
    networks = {role: describe(network) for role, network in own.items()}
    held_out = sorted(set(validation or ()))
    conditions = None
    if config.condition_names:
        conditions = conditions_for(slices, config.condition_names)
    facts = RunFacts(config, [], held_out, networks, conditions)
    lines = [*device_lines(config), few_subjects_warning(slices, config)]
    for line in filter(None, lines):
        status(line)
    with reporting_lost_workers(strategy):
        require_same_training(strategy, config, slices, resume=resume)
        opened = unfinished_run if resume else new_run
        training = _Training(
            run=opened(run_path, facts, slices, chief),
            slices=slices,
            own=own,
            callbacks=callbacks,
            strategy=strategy,
            stop_on_failure=stop_on_failure,
            verbose=0 if progress and verbose == "auto" else verbose,
            progress=progress,
        )
        training.complete()
    return training.run


def _require_settings(config: TrainConfig) -> None:
    """Refuses a configuration whose settings are not known."""
    if config.preset == OWN:
        raise ValueError(
            "expected the settings of a preset, found those of a run that "
            "train() did not train: make them with resolve_config"
        )


def _scope(strategy: tf.distribute.Strategy | None) -> AbstractContextManager:
    """Where networks are built."""
    return strategy.scope() if strategy else nullcontext()


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Training:
    """One process's part in training an opened run."""

    run: Run
    slices: Slices
    own: Mapping[str, keras.Model]
    callbacks: Sequence[keras.callbacks.Callback]
    strategy: tf.distribute.Strategy | None
    stop_on_failure: bool
    verbose: str | int
    progress: Callable[[int, int], None] | None

    def complete(self) -> None:
        """Trains the epochs that are left, and writes the generator."""
        run, step = self.run, None
        try:
            with _scope(self.strategy):
                model, first_epoch = self._started_model()
            facts = {"last whole epoch": first_epoch, "own networks": 0}
            if run.networks:
                facts["own networks"] = weights_digest(self.strategy, model)
            require_agreement(self.strategy, facts)
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

    def _started_model(self) -> tuple[DCGAN, int]:
        """The model as after the last whole epoch, and that epoch."""
        run, states = self.run, self.run.path / "checkpoint"
        lacking = run.networks.keys() - self.own.keys()
        if lacking and not has_state(states):
            role = min(lacking)
            raise ValueError(
                f"expected the weights that {run.path} starts from, found no "
                f"state yet: give {role}= again"
            )
        networks = {
            role: copied(self.own[role], description)
            if role in self.own
            else rebuild(description)
            for role, description in run.networks.items()
        }
        config = run.config
        model = build_dcgan(
            config,
            conditions=run.conditions,
            steps=config.epochs * steps_per_epoch(self.slices, config),
            **networks,
        )
        adapt_tissue_mean(self.slices, model.generator, model.sampler_network)
        return model, restore(model, states)

    def _fit_and_write(self, model: DCGAN, first_epoch: int) -> None:
        """Fits with all callbacks; `generator.keras` is written last."""
        run = self.run
        if run.networks and not first_epoch:
            # a seed does not tell where they start
            keep_start(model, run.path / "checkpoint")
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
            ordered = with_user_callbacks(callbacks, self.callbacks)
            self._fit(model, first_epoch, ordered)
        callbacks["samples"].write_montage()
        network = model.sampler_network
        selection = callbacks.get("selection")
        # a callback of the user may stop a training before there is one
        if selection and selection.evaluations:
            network = selection.best_network(model)
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
                    conditions=self.run.conditions,
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
                    FollowChief(self.strategy),
                    *interrupts,
                ],
                verbose=0,
            )
