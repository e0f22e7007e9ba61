import numpy as np
import pytest
from toy_brains import subjects_slices

from pet_dcgan.data.prepared_set import SetMeta, Slices
from pet_dcgan.data.suvr import png_from_suvr
from pet_dcgan.features.train_encoder import random_encoder
from pet_dcgan.models.networks import build_generator
from pet_dcgan.runs import run as run_module
from pet_dcgan.runs.run import Run

PNG = b"\x89PNG\r\n\x1a\n"
LOG = "epoch,d_loss,g_loss\n1,1.2,0.8\n2,1.1,0.9\n"
SELECTION = """epoch,val_kid,standard_error,suspects
1,0.5,0.1,0
2,0.25,0.05,0.0625
3,0.2,0,0.5
"""


@pytest.fixture
def run(tmp_path, tiny_config):
    subjects = ["999_S_0002", "999_S_0001", "999_S_0002"]
    return Run.create(tmp_path / "runs" / "ad", tiny_config(), subjects)


def test_opens_what_was_created(run):
    text = (run.path / "subjects.csv").read_text()
    assert text == "subject,split\n999_S_0001,train\n999_S_0002,train\n"
    opened = Run.open(run.path)
    assert opened.config == run.config
    assert opened.subjects == ["999_S_0001", "999_S_0002"]
    assert not opened.finished
    assert opened.evaluation == run.path / "evaluation"


def test_validation_subjects_that_are_not_the_sets_are_kept(tmp_path, run):
    assert Run.open(run.path).validation == []
    own = Run.create(tmp_path / "own", run.config, ["b", "a"], {"d", "c"})
    text = (own.path / "subjects.csv").read_text()
    assert text.splitlines()[1:] == [
        *("a,train", "b,train"),
        *("c,validation", "d,validation"),
    ]
    opened = Run.open(own.path)
    assert (opened.subjects, opened.validation) == (["a", "b"], ["c", "d"])


def test_the_generator_comes_back(run):
    generator = build_generator(size=32, channels=1, width=4, latent_dim=6)
    run.save_generator(generator)
    assert run.finished
    latent = np.ones([2, 6], np.float32)
    np.testing.assert_array_equal(
        run.load_generator()(latent), generator(latent)
    )
    assert sorted(p.name for p in run.path.iterdir()) == [
        "SHA256SUMS",
        "config.json",
        "generator.keras",
        "subjects.csv",
    ]


def test_only_a_free_folder_becomes_a_run(tmp_path, run):
    with pytest.raises(FileExistsError, match=r"--resume, or .*--run$"):
        Run.create(run.path, run.config, ["a"])
    assert Run.open(run.path).subjects == run.subjects
    (tmp_path / "file").touch()
    with pytest.raises(FileExistsError, match="to be free"):
        Run.create(tmp_path / "file", run.config, ["a"])
    (tmp_path / "empty").mkdir()
    assert Run.create(tmp_path / "empty", run.config, ["a"]).subjects == ["a"]


def test_a_run_needs_subjects(tmp_path, run):
    with pytest.raises(ValueError, match="found none"):
        Run.create(tmp_path / "new", run.config, [])
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", ["config.json", "subjects.csv"])
def test_a_missing_or_damaged_file_is_named(run, name):
    (run.path / name).write_text("{\n")
    with pytest.raises(ValueError, match=name):
        Run.open(run.path)
    (run.path / name).unlink()
    with pytest.raises(FileNotFoundError, match=f"found no .*{name}"):
        Run.open(run.path)


def test_a_missing_or_damaged_generator_is_named(run):
    with pytest.raises(FileNotFoundError, match=r"finished run.*--resume"):
        run.load_generator()
    (run.path / "generator.keras").write_bytes(b"PK half")
    with pytest.raises(ValueError, match="found a damaged file"):
        run.load_generator()


def test_metrics_are_read(run):
    with pytest.raises(FileNotFoundError, match="pet-dcgan evaluate"):
        run.metrics()
    run.evaluation.mkdir()
    path = run.evaluation / "metrics.json"
    wrong = (
        ("{", "expected a JSON"),
        ("[]", "found list"),
        ('{"psnr": 30}', "something else for content: run pet-dcgan evaluate"),
    )
    for text, found in wrong:
        path.write_text(text)
        with pytest.raises(ValueError, match=found):
            run.metrics()


class TestNotebook:
    def test_shows_an_unfinished_run(self, run):
        shown = run._repr_html_()
        assert "Run: AD, axial" in shown
        assert "resume=True" in shown
        assert f"0 of {run.config.epochs}" in shown
        assert "Phantom" in shown
        assert "training subjects" in shown
        assert run.subjects[0] not in shown

    def test_shows_logs_latest_samples_and_what_has_been_done(self, run):
        (run.path / "log.csv").write_text(LOG)
        (run.path / "selection.csv").write_text(SELECTION)
        samples = run.path / "samples"
        samples.mkdir()
        for number in (5, 9600, 10400):
            (samples / f"epoch_{number:04}.png").write_bytes(PNG)
        (run.path / "generator.keras").touch()
        shown = run._repr_html_()
        assert f"2 of {run.config.epochs}" in shown
        assert "d_loss 1.10, g_loss 0.90" in shown
        best = "epoch 2, KID 0.250 ± 0.050, excess of suspected copies 6.2 %"
        assert best in shown
        assert 'alt="samples, epoch_10400"' in shown
        assert "finished, not evaluated" in shown
        run.evaluation.mkdir()
        (run.evaluation / "metrics.json").write_text("{}")
        assert "finished, evaluated" in run._repr_html_()

    def test_leaves_damaged_files_out(self, run):
        (run.path / "log.csv").write_text("epoch,d_loss\n1,<b>\n")
        (run.path / "selection.csv").write_text("nonsense\n1\n")
        (run.path / "samples").mkdir()
        (run.path / "samples" / "epoch_0001.png").write_bytes(b"no picture")
        shown = run._repr_html_()
        for name in ("last losses", "<img", "best on validation"):
            assert name not in shown

    def test_escapes_a_path(self, tmp_path, run):
        shown = Run(tmp_path / "<b>bold", run.config, ["a"])._repr_html_()
        assert "<b>bold" not in shown
        assert "&lt;b&gt;bold" in shown


class TestEncoder:
    @pytest.fixture
    def slices(self):
        images, subjects, positions = subjects_slices(4, seed=0)
        meta = SetMeta(
            32, 6.0, 2.5, "brain", True, ("axial",), "axial_32", "2.0.0"
        )
        stored = png_from_suvr(images, 2.5)
        where = {"stage": "AD", "plane": "axial", "data_dir": "data"}
        count = len(stored)
        shown = {
            "stages": np.full(count, "AD"),
            "planes": np.full(count, "axial"),
            "ages": np.full(count, np.nan, np.float32),
            "sexes": np.full(count, ""),
        }
        return Slices(
            images=stored,
            subjects=subjects,
            scans=subjects,
            positions_mm=positions,
            meta=meta,
            **shown,
            **where,
        )

    @pytest.fixture
    def trained(self, monkeypatch):
        """What encoders would be trained with."""
        calls = []

        def train(images, **options):
            calls.append((images, options))
            return random_encoder(images, seed=len(calls))

        monkeypatch.setattr(run_module, "train_encoder", train)
        return calls

    def test_is_made_once_and_again_if_damaged(
        self, run, slices, trained, capsys
    ):
        images = subjects_slices(2, seed=1)[0]
        first = run.encoder(slices).features(images)
        again = run.encoder(slices).features(images)
        np.testing.assert_array_equal(first, again)
        ((made_of, options),) = trained
        expected = subjects_slices(4, seed=0)[0]
        np.testing.assert_allclose(made_of, expected, atol=1e-4)
        assert options["seed"] == run.config.seed
        (run.path / "encoder" / "encoder.npz").write_bytes(b"PK half")
        run.encoder(slices)
        assert len(trained) == 2
        assert "it is made again" in capsys.readouterr().err

    def test_is_of_some_slices_of_every_subject_where_there_are_many(
        self, run, slices, trained, monkeypatch
    ):
        monkeypatch.setattr(run_module, "_ENCODER_BYTES", 8 * 4 * 32 * 32)
        run.encoder(slices)
        ((made_of, options),) = trained
        assert len(made_of) == 8
        assert set(options["subjects"]) == set(slices.subjects)
