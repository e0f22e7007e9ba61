"""A conditional training from a prepared set to a run folder, tiny."""

import json
import shutil

import numpy as np
import pytest
from toy_conditional import make_conditions
from toy_model import SMALL
from toy_model import make_config as plain_config
from training_process import assert_same_run
from typer.testing import CliRunner

from pet_dcgan.cli.main import app
from pet_dcgan.data.training_data import load_training_slices, resolve_config
from pet_dcgan.models.conditional_dcgan import ConditionalDCGAN
from pet_dcgan.models.conditioned import asked, conditions_of
from pet_dcgan.models.configured_dcgan import build_dcgan
from pet_dcgan.models.networks import build_generator
from pet_dcgan.runs.absent_run import resume_command
from pet_dcgan.runs.run import Run
from pet_dcgan.training.train import train


def make_config(toy_set, **overrides):
    """Nine slices of each stage but AD, as small as that of `toy_model`."""
    changes = SMALL | {"conditions": "stage,plane,position", "epochs": 4}
    return resolve_config(
        "conditional",
        data_dir=toy_set,
        dataset="axial_32",
        overrides=changes | {"transition": True, "ema_decay": 0.9} | overrides,
    )


@pytest.fixture(scope="module")
def run(toy_set, tmp_path_factory):
    """A finished run: read, not changed."""
    config = make_config(toy_set)
    return train(config, tmp_path_factory.mktemp("runs") / "all", verbose=0)


def test_a_configuration_is_of_all_stages(toy_set):
    config = make_config(toy_set)
    assert (config.stage, config.plane) == ("ALL", "axial")
    assert config.condition_names == ("stage", "plane", "position")
    command = resume_command(config, "runs/all")
    assert "--stage" not in command
    assert "--preset conditional" in command


@pytest.mark.parametrize("transition", [True, False])
def test_the_command_that_resumes_has_the_transition(toy_set, transition):
    """Of conditions with a preset that has none."""
    changes = {"conditions": "stage,position", "transition": transition}
    config = resolve_config(
        "robust", data_dir=toy_set, dataset="axial_32", overrides=changes
    )
    command = resume_command(config, "runs/all")
    assert f"--set transition={str(transition).lower()} " in command
    assert "--set conditions=stage,position " in command


def test_a_run_has_what_its_generator_is_asked_for(run):
    kept = json.loads((run.path / "conditions.json").read_text())
    assert kept["stages"] == ["NC", "MCI", "AD"]
    # the set's band, moved by half a slice as slices are cut
    assert kept["bands_mm"] == {"axial": [-3.0, 21.0]}
    opened = Run.open(run.path)
    assert opened.conditions == run.conditions
    assert len(opened.subjects) == 9
    sums = (run.path / "SHA256SUMS").read_text()
    assert "conditions.json" in sums


def test_its_generator_obeys_and_is_that_of_the_training(run):
    network = Run.open(run.path).load_generator()
    assert conditions_of(network) == run.conditions
    image = asked(network, stage="AD", position_mm=12.0)(np.zeros([1, 9], "f"))
    assert image.shape == (1, 32, 32, 1)


def test_a_stopped_training_goes_on_to_the_same_weights(run, toy_set, tmp_path):
    path = tmp_path / "stopped"
    shutil.copytree(run.path, path)
    (path / "generator.keras").unlink()
    (path / "checkpoint" / "state_0004.npz").unlink()
    resumed = train(make_config(toy_set), path, resume=True, verbose=0)
    assert_same_run(resumed.path, run.path)


def test_the_transition_is_a_part_of_all_steps(run, toy_set):
    config = make_config(toy_set)
    model = build_dcgan(config, conditions=run.conditions, steps=40)
    assert isinstance(model, ConditionalDCGAN)
    assert model.transition == (10, 20)
    assert model.jitter_mm == 3.0  # half of 6 mm
    config = make_config(toy_set, transition=False)
    model = build_dcgan(config, conditions=run.conditions, steps=40)
    assert model.transition == (0, 0)


def test_a_transition_is_not_left_out_unsaid(run, toy_set):
    with pytest.raises(ValueError, match="expected steps with a transition"):
        build_dcgan(make_config(toy_set), conditions=run.conditions)


def test_a_resumed_run_has_the_same_conditions(run, toy_set, tmp_path):
    path = tmp_path / "other"
    shutil.copytree(run.path, path)
    (path / "generator.keras").unlink()
    other = make_config(toy_set, conditions="stage,position")
    with pytest.raises(ValueError, match="conditions stage,position instead"):
        train(other, path, resume=True, verbose=0)


@pytest.mark.parametrize(
    "text", ["{}", "[]", "{", '{"names": ["stage"]}', "{" * 5000]
)
def test_damaged_conditions_are_refused_in_one_line(run, tmp_path, text):
    path = tmp_path / "damaged"
    shutil.copytree(run.path, path)
    (path / "conditions.json").write_text(text)
    with pytest.raises(ValueError, match=r"conditions\.json") as error:
        Run.open(path)
    assert "\n" not in str(error.value)


def test_a_run_that_lost_its_conditions_is_refused(run, tmp_path):
    path = tmp_path / "lost"
    shutil.copytree(run.path, path)
    (path / "conditions.json").unlink()
    with pytest.raises(ValueError, match=r"stage, plane, position in .*none"):
        Run.open(path)


def test_own_networks_are_refused(toy_set, tmp_path):
    shape = {"size": 32, "channels": 1, "latent_dim": 6, "width": 4}
    own = build_generator(**shape)
    with pytest.raises(ValueError, match="no generator= with conditions"):
        train(make_config(toy_set), tmp_path / "own", generator=own, verbose=0)
    conditional = build_generator(**shape, conditions=make_conditions())
    with pytest.raises(ValueError, match="expected a generator without cond"):
        train(
            plain_config(toy_set),
            tmp_path / "own",
            generator=conditional,
            verbose=0,
        )


def test_fit_takes_slices_of_all_stages(run, toy_set):
    config = make_config(toy_set)
    slices = load_training_slices(config)
    model = build_dcgan(config, conditions=run.conditions, steps=9)
    history = model.fit(slices, epochs=1, batch_size=4, verbose=0)
    assert np.isfinite(history.history["g_loss"]).all()
    assert model.subjects == set(run.subjects)
    assert model.facts == slices.facts
    found = model.evaluate(slices, verbose=0, return_dict=True)
    assert np.isfinite(found["d_loss"])


def test_a_model_of_ones_own_becomes_a_run(run, toy_set, tmp_path):
    config = make_config(toy_set)
    slices = load_training_slices(config)
    model = build_dcgan(config, conditions=run.conditions, steps=9)
    model.fit(slices, epochs=1, batch_size=4, verbose=0)
    Run.of_model(tmp_path / "own", model, slices)
    opened = Run.open(tmp_path / "own")
    assert opened.conditions == run.conditions
    assert opened.config.stage == "ALL"
    latents = np.zeros([1, 9], "f")
    np.testing.assert_array_equal(
        asked(opened.load_generator(), stage="AD")(latents),
        asked(model.sampler_network, stage="AD")(latents),
    )


def test_a_configuration_with_conditions_needs_their_meaning(toy_set):
    with pytest.raises(ValueError, match="expected the conditions stage, pl"):
        build_dcgan(make_config(toy_set))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--preset", "robust"], "expected a stage among NC, MCI, AD"),
        (["--preset", "conditional", "--stage", "AD"], "leave out --stage"),
        (["--conditions", "position"], "write stage,position"),
        (["--conditions", "stage,mood"], "found mood"),
        (["--conditions", "stage", "--plane", "coronal"], "among axial"),
    ],
)
def test_bad_options_are_one_line(toy_set, tmp_path, options, words):
    where = ["--data-dir", str(toy_set), "--config", "axial_32"]
    run = ["--run", str(tmp_path / "run")]
    result = CliRunner().invoke(app, ["train", *where, *run, *options])
    assert result.exit_code in (1, 2)
    assert words in " ".join(result.output.replace("│", "").split())
    assert "Traceback" not in result.output


def test_a_dry_run_counts_the_conditional_networks(toy_set, tmp_path):
    where = ["--data-dir", str(toy_set), "--config", "axial_32"]
    options = ["--run", str(tmp_path / "run"), "--dry-run"]
    preset = ["--preset", "conditional", "--set", "batch_size=4"]
    result = CliRunner().invoke(app, ["train", *where, *options, *preset])
    assert result.exit_code == 0, result.output
    assert "9 subjects, 36 slices" in result.output
