import json

import numpy as np
import pytest

from pet_dcgan.models.networks import build_generator
from pet_dcgan.runs.run import Run


@pytest.fixture
def run(tmp_path, tiny_config):
    subjects = ["999_S_0002", "999_S_0001", "999_S_0002"]
    return Run.create(tmp_path / "runs" / "ad", tiny_config(), subjects)


def test_opens_what_was_created(run):
    opened = Run.open(run.path)
    assert opened.config == run.config
    assert opened.subjects == ["999_S_0001", "999_S_0002"]
    assert not opened.finished
    assert opened.evaluation == run.path / "evaluation"


def test_subjects_stand_with_their_split(run):
    text = (run.path / "subjects.csv").read_text()
    assert text == "subject,split\n999_S_0001,train\n999_S_0002,train\n"


def test_the_generator_comes_back(run):
    generator = build_generator(size=32, channels=1, width=4, latent_dim=6)
    run.save_generator(generator)
    assert run.finished
    latent = np.ones([2, 6], np.float32)
    np.testing.assert_array_equal(
        run.load_generator()(latent), generator(latent)
    )
    assert sorted(p.name for p in run.path.iterdir()) == [
        "config.json",
        "generator.keras",
        "subjects.csv",
    ]


def test_an_existing_run_is_not_overwritten(run):
    with pytest.raises(FileExistsError, match=r"--resume, or .*--run$"):
        Run.create(run.path, run.config, ["a"])
    assert Run.open(run.path).subjects == run.subjects


def test_an_empty_folder_may_become_a_run(tmp_path, run):
    (tmp_path / "new").mkdir()
    assert Run.create(tmp_path / "new", run.config, ["a"]).subjects == ["a"]


def test_a_file_in_the_way_is_refused(tmp_path, run):
    (tmp_path / "new").touch()
    with pytest.raises(FileExistsError, match="to be free"):
        Run.create(tmp_path / "new", run.config, ["a"])


def test_a_run_needs_subjects(tmp_path, run):
    with pytest.raises(ValueError, match="found none"):
        Run.create(tmp_path / "new", run.config, [])
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", ["config.json", "subjects.csv"])
def test_a_folder_that_is_no_run_is_named(run, name):
    (run.path / name).unlink()
    with pytest.raises(FileNotFoundError, match=f"found no .*{name}"):
        Run.open(run.path)


@pytest.mark.parametrize("name", ["config.json", "subjects.csv"])
def test_a_damaged_file_is_named(run, name):
    (run.path / name).write_text("{\n")
    with pytest.raises(ValueError, match=name):
        Run.open(run.path)


def test_an_unfinished_run_has_no_generator(run):
    with pytest.raises(FileNotFoundError, match=r"finished run.*--resume"):
        run.load_generator()


def test_a_damaged_generator_is_named(run):
    (run.path / "generator.keras").write_bytes(b"PK half")
    with pytest.raises(ValueError, match="found a damaged file"):
        run.load_generator()


def test_metrics_are_read(run):
    with pytest.raises(FileNotFoundError, match="pet-dcgan evaluate"):
        run.metrics()
    run.evaluation.mkdir()
    path = run.evaluation / "metrics.json"
    path.write_text(json.dumps({"psnr": 30}))
    assert run.metrics() == {"psnr": 30}
    for text, found in (("{", "expected JSON"), ("[]", "found list")):
        path.write_text(text)
        with pytest.raises(ValueError, match=found):
            run.metrics()
