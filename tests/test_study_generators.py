import numpy as np
import pytest
from study_toy import SMALL, make_settings
from toy_run import make_run

from pet_dcgan.data.leakage import DataLeakageError
from pet_dcgan.runs.run import Run
from pet_dcgan.study.generators import (
    GeneratorSpec,
    assign_runs,
    describe,
    generate_stored,
    generator_specs,
    train_generator,
    training_config,
)
from pet_dcgan.study.settings import load_study_data
from pet_dcgan.training.callbacks import EpochLog

FEW, ALL = GeneratorSpec(34, "axial", "AD"), GeneratorSpec(100, "axial", "AD")


@pytest.fixture(scope="module")
def settings(toy_set):
    return make_settings(toy_set)


@pytest.fixture(scope="module")
def data(settings):
    return load_study_data(settings)


@pytest.fixture(scope="module")
def trained(settings, data, tmp_path_factory):
    home = tmp_path_factory.mktemp("generators")
    return train_generator(FEW, home, settings, data)


@pytest.fixture
def made(toy_set, tmp_path):
    """`made("name", "AD", subjects=...)`: a run of that name."""

    def made(name, stage="AD", **changes):
        return make_run(tmp_path / name, toy_set, stage, **changes)

    return made


def test_one_generator_per_fraction_plane_and_stage(settings):
    found = generator_specs(settings)
    assert len(found) == len(set(found)) == 2 * 1 * 2
    assert FEW.folder == "ad_axial_34"
    assert str(ALL) == "AD axial, 100 % of the subjects"


def test_every_fraction_is_trained_for_as_many_steps(settings, data):
    few, whole = (training_config(s, settings, data) for s in (FEW, ALL))
    # 12 slices of 3 subjects, 4 of one, in batches of 4
    assert (whole.epochs, few.epochs) == (2, 6)
    assert (whole.samples_every, few.samples_every) == (5, 15)
    assert few.select_every == whole.select_every == 0
    assert (few.stage, few.plane, few.seed) == ("AD", "axial", 0)


def test_a_generator_sees_its_fraction_alone_and_is_trained_once(
    trained, settings, data
):
    assert trained.finished
    allowed = data.subsets[34]["AD"]
    assert set(Run.open(trained.path).subjects) == allowed
    before = (trained.path / "generator.keras").stat().st_mtime_ns
    again = train_generator(FEW, trained.path.parent, settings, data)
    assert again.path == trained.path
    assert (trained.path / "generator.keras").stat().st_mtime_ns == before


def test_a_description_has_no_name_and_no_path(trained):
    assert describe(trained, FEW, given=False) == {
        "stage": "AD",
        "plane": "axial",
        "fraction": 34,
        "subjects": 1,
        "trained_by": "the study",
        "preset": "demo",
        "epoch": 6,
        "chosen_by": "last epoch",
    }
    assert describe(trained, FEW, given=True)["trained_by"] == "the user"


def test_a_stopped_training_is_resumed(settings, data, tmp_path, monkeypatch):
    begin = EpochLog.on_epoch_begin

    def stop(self, epoch, logs=None):
        if epoch == 1:
            raise KeyboardInterrupt
        begin(self, epoch, logs)

    with monkeypatch.context() as patch:
        patch.setattr(EpochLog, "on_epoch_begin", stop)
        with pytest.raises(KeyboardInterrupt):
            train_generator(ALL, tmp_path, settings, data)
    run = train_generator(ALL, tmp_path, settings, data)
    assert len((run.path / "log.csv").read_text().splitlines()) == 1 + 2


@pytest.mark.parametrize(
    ("subjects", "reason"),
    [(["999_S_3004"], "validation or test"), (None, "found others 2")],
)
def test_an_earlier_generator_of_other_subjects_is_refused(
    made, settings, data, tmp_path, subjects, reason
):
    made(FEW.folder, subjects=subjects)
    with pytest.raises(DataLeakageError, match=reason):
        train_generator(FEW, tmp_path, settings, data)


def test_fewer_slices_than_a_batch_are_refused(toy_set, data):
    settings = make_settings(toy_set, overrides={"batch_size": 5})
    with pytest.raises(ValueError, match=r"found 4: add --set batch_size=4"):
        training_config(FEW, settings, data)
    assert training_config(ALL, settings, data).batch_size == 5


def test_subjects_that_select_a_generator_are_not_tested_on(
    toy_set, data, made
):
    settings = make_settings(
        toy_set, with_validation=True, overrides=SMALL | {"select_every": 1}
    )
    with pytest.raises(ValueError, match="leave out --with-validation"):
        training_config(ALL, settings, data)
    run = made("ad")
    assert assign_runs([run], settings, data)
    object.__setattr__(run.config, "select_every", 1)
    with pytest.raises(ValueError, match="leave out --with-validation"):
        assign_runs([run], settings, data)


def test_images_are_generated_as_a_set_stores_them(made):
    run = made("ad")
    images = generate_stored(run, count=5, seed=0)
    assert images.dtype == np.uint16
    assert images.shape == (5, 32, 32)
    again, others = (generate_stored(run, count=5, seed=s) for s in (0, 1))
    np.testing.assert_array_equal(images, again)
    assert not any((a == b).all() for a in images for b in others)


@pytest.mark.parametrize(
    ("value", "reason"), [(0.0, "one brightness"), (np.nan, "diverged")]
)
def test_a_generator_of_nothing_is_refused(made, value, reason):
    run = made("ad")
    generator = run.load_generator()
    generator.set_weights([w * value for w in generator.get_weights()])
    run.save_generator(generator)
    with pytest.raises(ValueError, match=reason):
        generate_stored(run, count=3, seed=0)


def test_runs_go_where_their_subjects_are(made, settings, data):
    few = made("few", subjects=sorted(data.subsets[34]["AD"]))
    whole = made("whole")
    found = assign_runs([whole, few], settings, data)
    assert found == {FEW: few, ALL: whole}
    # one that began with other stages of the fraction
    warm = made("warm", subjects=sorted(data.subjects(34)))
    assert list(assign_runs([warm], settings, data)) == [FEW]


def test_a_run_of_more_than_the_largest_fraction_is_refused(
    toy_set, made, data
):
    settings = make_settings(toy_set, fractions=(34,))
    (allowed,) = data.subsets[34]["AD"]
    outside = sorted({f"999_S_300{i}" for i in range(3)} - {allowed})
    with pytest.raises(DataLeakageError, match=f"2: {', '.join(outside)}"):
        assign_runs([made("ad")], settings, load_study_data(settings))


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"size": 64}, ValueError, "size 32, .*found 64"),
        ({"suvr_max": 3.0}, ValueError, "suvr_max 2.5, .*found 3.0"),
        ({"phantom": False}, ValueError, "phantom True, .*found False"),
        ({"plane": "coronal"}, ValueError, "plane axial, found coronal"),
        ({"stage": "MCI"}, ValueError, "stage NC or AD, found MCI"),
        ({"finished": False}, FileNotFoundError, "finished run"),
        (
            {"subjects": ["999_S_3000", "999_S_3003"]},
            DataLeakageError,
            "1: 999_S_3003",
        ),
    ],
)
def test_unsuitable_runs_are_refused(
    made, settings, data, changes, error, message
):
    options = {"subjects": ["999_S_3000"]} | changes
    run = made("run", options.pop("stage", "AD"), **options)
    with pytest.raises(error, match=message):
        assign_runs([run], settings, data)


def test_two_runs_of_one_generator_are_refused(made, settings, data):
    runs = [made("one"), made("two")]
    with pytest.raises(ValueError, match=r"expected one run of AD axial, 100"):
        assign_runs(runs, settings, data)
