import dataclasses
import functools
import os
import shutil
import signal
import subprocess
import sys
import time

import ida_tree
import matplotlib.image
import pytest

from pet_dcgan import demo
from pet_dcgan.serving.export import CopiesError
from tfds_adni import Selection


@pytest.fixture(scope="module")
def tiny(quick_encoder):
    """A demo on round heads instead of the phantom, of one small network."""
    settings = dataclasses.replace(
        demo.QUICK,
        subjects=3,
        overrides={"epochs": 1, "width": 4, "batch_size": 4},
        search=100,
    )

    def write_cohort(out, *, subjects, difficulty, **_):
        assert difficulty == demo.DIFFICULTY
        return ida_tree.write_tree(out, ida_tree.cohort_rows(subjects["AD"]))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(demo, "QUICK", settings)
        patch.setattr(demo, "STAGES", ("AD",))  # the slow test has three
        patch.setattr(demo, "write_cohort", write_cohort)
        patch.setattr(
            demo, "evaluate", functools.partial(demo.evaluate, count=100)
        )
        yield


@pytest.fixture(scope="module")
def done(tiny, tmp_path_factory):
    """Stopped in the first training, then run to the end."""
    out = tmp_path_factory.mktemp("demo") / "demo"

    def stop(run, model):
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(demo.Run, "save_generator", stop)
        with pytest.raises(KeyboardInterrupt):
            demo.run_demo(out, quick=True, say=lambda line: None)
    said = []
    summary = demo.run_demo(out, quick=True, say=said.append)
    return out, summary, said


def test_everything_is_where_it_says(done):
    _, summary, _ = done
    assert all(place.exists() for place in summary.places.values())
    models = summary.places["models"]
    assert "/models/ad" in (models / "models.config").read_text()
    assert (models / "ad" / "1" / "saved_model.pb").exists()


def test_a_stopped_demo_resumes(done):
    _, _, said = done
    repeated = [line for line in said if "done already" in line]
    assert [line.partition(":")[0] for line in repeated] == [
        "phantom scans, realistic",
        "prepared slices",
    ]
    assert "AD training ..." in said


def test_the_mark_of_the_phantom_travels(done):
    out, summary, _ = done
    assert all(metrics["phantom"] for metrics in summary.metrics.values())
    card = (out / "models" / "ad" / "MODEL_CARD.md").read_text()
    assert "phantom" in card.lower()
    assert (
        '"phantom": true' in (out / "runs" / "ad" / "config.json").read_text()
    )


def test_gallery_is_a_picture(done):
    out, _, _ = done
    image = matplotlib.image.imread(out / "gallery.png")
    assert min(image.shape[:2]) > 300
    assert image[..., :3].std() > 0.05


@pytest.fixture(scope="module")
def real(tiny, tmp_path_factory):
    """A demo on a folder of round heads, all of one stage."""
    home = tmp_path_factory.mktemp("real")
    rows = ida_tree.cohort_rows(3)
    rows = [row for row in rows if row["Group"] == "AD"]
    ida_tree.write_tree(home / "scans", rows)
    said, shown = [], []
    summary = demo.run_demo(
        home / "demo",
        quick=True,
        real=home / "scans",
        selection=Selection(visits="baseline"),
        check=shown.append,
        say=said.append,
    )
    return home, summary, said, shown


def test_a_folder_of_one_stage_goes_the_whole_way(real):
    home, summary, said, (cohort,) = real
    assert list(summary.metrics) == ["AD"]
    assert summary.places["scans"] == home / "scans"
    assert not (home / "demo" / "phantom").exists()
    assert all(place.exists() for place in summary.places.values())
    assert len(cohort.used) == 3
    assert not any("phantom scans" in line for line in said)


def test_another_folder_is_another_demo(real):
    home = real[0]
    with pytest.raises(FileExistsError, match="other settings"):
        demo.run_demo(home / "demo", quick=True, real=home)


def test_copies_of_patients_are_not_exported(real, monkeypatch, tmp_path):
    home, _, said, _ = real
    said = []

    def refuse(run, to, *, allow_copies):
        assert not allow_copies
        raise CopiesError("expected a generator without copies")

    monkeypatch.setattr(demo, "export_run", refuse)
    run = demo.Run.open(home / "demo" / "runs" / "ad")
    patient = dataclasses.replace(run.config, phantom=False)
    monkeypatch.setattr(run, "config", patient)
    steps = demo._Demo(tmp_path, demo.QUICK, said.append, 0, lambda label: None)
    steps.export(run, tmp_path / "models")
    assert said == ["AD export: left out; expected a generator without copies"]


def test_another_call_skips_every_step(done, monkeypatch):
    out, summary, _ = done
    for step in ("prepare", "train", "evaluate", "export_run"):
        monkeypatch.delattr(demo, step)
    said = []
    again = demo.run_demo(out, quick=True, say=said.append)
    assert again == summary
    assert all("done already" in line for line in said)


def test_another_demo_in_the_same_folder_is_refused(done):
    with pytest.raises(FileExistsError, match="other settings"):
        demo.run_demo(done[0], quick=False)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe", b"[]", b"[" * 99_999, b"null"]
)
def test_a_damaged_mark_is_one_line(tiny, tmp_path, content):
    (tmp_path / "demo.json").write_bytes(content)
    with pytest.raises(ValueError, match="choose another --out") as error:
        demo.run_demo(tmp_path, quick=True)
    assert "\n" not in str(error.value)
    assert os.listdir(tmp_path) == ["demo.json"]


def test_half_a_file_of_others_is_left_alone(tiny, tmp_path):
    (tmp_path / ".partial-12345678.scan.nii").write_bytes(b"theirs")
    with pytest.raises(FileExistsError, match="in use"):
        demo.run_demo(tmp_path, quick=True)
    assert os.listdir(tmp_path) == [".partial-12345678.scan.nii"]


def test_an_export_that_was_killed_is_brought_to_its_end(done, tmp_path):
    out = shutil.copytree(done[0], tmp_path / "demo")
    for name in ("models.config", "ad/MODEL_CARD.md", "ad/metrics.json"):
        (out / "models" / name).unlink()
    (out / "models" / "ad" / ".partial-12345678.2").mkdir()
    (out / "runs" / "ad" / "evaluation").rename(
        out / "runs" / "ad" / ".previous.evaluation"
    )
    said = []
    demo.run_demo(out, quick=True, say=said.append)
    assert all("done already" in line for line in said)
    for part in ("models", "runs/ad/evaluation"):
        found, expected = out / part, done[0] / part
        names = sorted(p.relative_to(expected) for p in expected.rglob("*"))
        assert sorted(p.relative_to(found) for p in found.rglob("*")) == names
        for name in names:
            if (found / name).is_file():
                same = (found / name).read_bytes()
                assert same == (expected / name).read_bytes()


def test_a_folder_in_use_is_refused(tiny, tmp_path):
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(FileExistsError, match="in use"):
        demo.run_demo(tmp_path, quick=True)


@pytest.mark.slow
def test_quick_demo_stopped_by_ctrl_c_and_run_again(tmp_path):
    words = [sys.executable, "-m", "pet_dcgan", "demo", "--quick"]
    first = subprocess.Popen(
        words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    config = tmp_path / "demo" / "runs" / "nc" / "config.json"
    deadline = time.monotonic() + 300
    while not config.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    os.kill(first.pid, signal.SIGINT)
    _, errors = first.communicate(timeout=60)
    assert first.returncode == 130, errors.decode()
    assert b"Traceback" not in errors
    assert b"stopped by Ctrl-C" in errors
    again = subprocess.run(
        words, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert again.returncode == 0, again.stderr
    assert "phantom scans, realistic: done already" in again.stdout
    assert (tmp_path / "demo" / "gallery.png").exists()
    models = (tmp_path / "demo" / "models").glob("*/1/saved_model.pb")
    assert {path.parts[-3] for path in models} == {"nc", "mci", "ad"}
