import pytest

from pet_dcgan.runs.selection_log import FILE, KidEvaluation, write_evaluations

PNG = b"\x89PNG\r\n\x1a\n"
LOG = "epoch,d_loss,g_loss\n1,1.2,0.8\n2,1.1,0.9\n"


@pytest.fixture
def run(make_run):
    return make_run(finished=False)


def test_an_unfinished_run_says_how_to_go_on(run):
    shown = run._repr_html_()
    assert "Run: AD, axial" in shown
    assert "resume=True" in shown
    assert f"0 of {run.config.epochs}" in shown
    assert "Phantom" in shown


def test_what_its_files_say(run):
    (run.path / "log.csv").write_text(LOG)
    looks = [KidEvaluation(1, 0.5, 0.1), KidEvaluation(2, 0.25, 0.05)]
    write_evaluations(run.path / FILE, looks, phantom=True)
    shown = run._repr_html_()
    assert f"2 of {run.config.epochs}" in shown
    assert "d_loss 1.10, g_loss 0.90" in shown
    assert "epoch 2, KID 0.250 ± 0.050" in shown


def test_the_latest_sheet_is_shown(run):
    samples = run.path / "samples"
    samples.mkdir()
    for number in (5, 10):
        (samples / f"epoch_{number:04}.png").write_bytes(PNG)
    assert 'alt="samples, epoch_0010"' in run._repr_html_()


def test_finished_and_evaluated(make_run):
    run = make_run()
    assert "finished, not evaluated" in run._repr_html_()
    run.evaluation.mkdir()
    (run.evaluation / "metrics.json").write_text("{}")
    assert "finished, evaluated" in run._repr_html_()


def test_no_subject_is_named(run):
    assert run.subjects[0] not in run._repr_html_()
    assert "training subjects" in run._repr_html_()


def test_damaged_files_are_left_out(run):
    (run.path / "log.csv").write_text("epoch,d_loss\n1,<b>\n")
    (run.path / FILE).write_text("nonsense\n1\n")
    (run.path / "samples").mkdir()
    (run.path / "samples" / "epoch_0001.png").write_bytes(b"no picture")
    shown = run._repr_html_()
    assert "last losses" not in shown
    assert "<img" not in shown
    assert "best on validation" not in shown


def test_a_path_is_escaped(toy_set, tmp_path):
    from toy_run import make_run

    run = make_run(tmp_path / "<b>bold", toy_set, finished=False)
    assert "<b>bold" not in run._repr_html_()
    assert "&lt;b&gt;bold" in run._repr_html_()
