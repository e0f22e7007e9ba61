"""Fixtures for several test files; each section belongs to one concern."""

import contextlib
import os
import signal
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# A shell lets its background jobs ignore Ctrl-C, and they hand that on to the
# commands that tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

import pytest

# --- what the tests run on ----------------------------------------------------


def pytest_addoption(parser):
    """`--kills`: how often `test_killed.py` kills each command.

    `--mutations`: how many inputs `test_fuzz.py` damages; `--fuzz-seed`: which.
    """
    parser.addoption("--kills", type=int, default=3)
    parser.addoption("--mutations", type=int, default=2000)
    parser.addoption("--fuzz-seed", type=int, default=0)


def pytest_report_header():
    """The processor: kernels, and so last bits, depend on it."""
    import kernels

    return f"processor: {kernels.processor()}"


@pytest.fixture(autouse=True)
def _no_open_figures():
    """A figure that a test leaves open is not the next one's current figure."""
    yield
    if (pyplot := sys.modules.get("matplotlib.pyplot")) is not None:
        pyplot.close("all")


@pytest.fixture
def cache_home(tmp_path_factory, monkeypatch):
    """A user's cache that is empty, for what DICOM is converted to."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


# --- a small prepared set, as tfds_adni leaves it on disk ---------------------


@pytest.fixture(scope="session")
def toy_set(tmp_path_factory):
    """`data_dir` of `adni/axial_32`: 32 px, few subjects, marked phantom."""
    from toy_data import prepare

    return prepare(tmp_path_factory.mktemp("toy_data"))


@pytest.fixture(scope="session")
def toy_volumes(tmp_path_factory):
    """`data_dir` of `adni/volume_32`: 32 voxels, few subjects, a phantom's."""
    from toy_volume_set import prepare

    return prepare(tmp_path_factory.mktemp("toy_volumes"))


# --- a finished run without a training: random weights, 32 px, width 4 --------


@pytest.fixture
def make_run(toy_set, tmp_path):
    """`make_run("AD", **changes)`: see `toy_run.make_run`."""
    from toy_run import make_run

    return lambda *args, **changes: make_run(
        tmp_path / "runs" / "secret", toy_set, *args, **changes
    )


# --- configurations and models of a training that takes seconds ---------------


@pytest.fixture
def tiny_config(toy_set):
    """`tiny_config(epochs=2, ...)`: width 4, batch 4, of the toy set's AD."""
    from toy_model import make_config

    return lambda **changes: make_config(toy_set, **changes)


@pytest.fixture
def toy_slices(tiny_config):
    """The toy set's training slices of AD."""
    from pet_dcgan.data.training_data import load_training_slices

    return load_training_slices(tiny_config())


@pytest.fixture
def tiny_model():
    """`tiny_model(seed=0)`: a compiled DCGAN of 32 px, 1 channel, width 4."""
    from toy_model import make_model

    return make_model


# --- evaluations that take seconds --------------------------------------------


@pytest.fixture(scope="session")
def toy_cohort(tmp_path_factory):
    """`data_dir` of the toy set with nine held-out subjects a split."""
    from toy_cohort import prepare

    return prepare(tmp_path_factory.mktemp("toy_cohort"))


@contextlib.contextmanager
def _untrained_encoders():
    from pet_dcgan.features.train_encoder import random_encoder
    from pet_dcgan.runs import run

    def untrained(images_suvr, *, positions_mm, subjects, seed):
        return random_encoder(images_suvr, seed=seed + 1)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "train_encoder", untrained)
        yield


@contextlib.contextmanager
def _blank_plots():
    """Plots take most of an evaluation; `test_figures.py` draws them."""
    from PIL import Image

    from pet_dcgan.evaluation import figures, plots

    def save(figure, path):
        Image.new("L", (1, 1)).save(path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figures, "save", save)
        patch.setattr(plots, "save", save)
        yield


@pytest.fixture(scope="module")
def quick_encoder():
    """Encoders of runs are not trained, and plots of evaluations are blank."""
    with _untrained_encoders(), _blank_plots():
        yield


@pytest.fixture(scope="session")
def evaluated(toy_cohort, tmp_path_factory):
    """A run of nine held-out subjects and its evaluation: read, not changed."""
    from toy_cohort import cohort_run

    from pet_dcgan.evaluation.evaluate import evaluate

    run = cohort_run(tmp_path_factory.mktemp("evaluated") / "run", toy_cohort)
    log = "epoch,d_loss,g_loss\n49,1.2,0.8\n50,1.1,0.9\n"
    (run.path / "log.csv").write_text(log)
    with _untrained_encoders(), _blank_plots():
        return run, evaluate(run, count=64, search=64)


# --- exported models, for a stub of a model server ----------------------------


@pytest.fixture(scope="session")
def toy_models(toy_set, tmp_path_factory):
    """A folder of models `ad` (versions 1, 2) and `mci`: read, not changed."""
    import shutil

    from toy_run import make_run

    from pet_dcgan.serving.export import export_run

    folder = tmp_path_factory.mktemp("toy_models")
    for stage in ("AD", "MCI"):
        run = make_run(folder / "runs" / stage, toy_set, stage)
        export_run(run, folder / "models")
    ad = folder / "models" / "ad"
    shutil.copytree(ad / "1", ad / "2")
    return folder / "models"


@pytest.fixture(scope="session")
def conditional_models(tmp_path_factory):
    """A folder of the model `conditional`, version 1: read, not changed."""
    import toy_asked

    from pet_dcgan.serving.export import export

    folder = tmp_path_factory.mktemp("conditional_models") / "models"
    generator = toy_asked.lively_generator()
    export(generator, folder, facts=toy_asked.FACTS)
    return folder


@pytest.fixture(scope="session")
def volume_models(tmp_path_factory):
    """Models of volumes: `conditional_volume`, and of one volume `ad_volume`.

    `nc_volume` is the same in the space of a template.
    """
    import toy_volume_models

    from pet_dcgan.serving.export import export

    folder = tmp_path_factory.mktemp("volume_models") / "models"
    generator = toy_volume_models.volume_generator()
    export(generator, folder, facts=toy_volume_models.volume_facts())
    for stage, space in (("AD", "native"), ("NC", toy_volume_models.TEMPLATE)):
        facts = toy_volume_models.volume_facts(stage=stage, space=space)
        export(toy_volume_models.right_sided(), folder, facts=facts)
    return folder


@pytest.fixture
def stub(toy_models):
    """A stub of a model server that holds `toy_models`."""
    import stub_server

    with stub_server.serve(toy_models) as running:
        yield running
