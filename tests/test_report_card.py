import json

import pytest
from toy_cohort import cohort_run

from pet_dcgan.evaluation.evaluate import evaluate
from pet_dcgan.evaluation.notebook import Evaluation, evaluation_card

METRICS = {
    "stage": "AD",
    "plane": "axial",
    "phantom": True,
    "verdict": {
        "headline": "Look closer <here>.",
        "findings": [{"about": "Copies", "sign": "good", "words": "a < b"}],
    },
    "features": {
        "trained": {
            "kid": {
                "synthetic": {"value": 0.03, "standard_error": 0.002},
                "real": {"value": 0.004, "standard_error": 0.001},
            },
        }
    },
    "psnr": {
        "synthetic": {"nearest": {"mean": 21.584, "interval": [20.0, None]}},
        "real": None,
    },
}


def test_numbers_stand_beside_those_of_real_images():
    shown = evaluation_card(METRICS)
    row = shown[shown.index("KID, trained encoder") :]
    assert row.index("0.030 ± 0.002") < row.index("0.004 ± 0.001")
    assert "21.58 [20.00, –]" in shown
    assert "Phantom" in shown
    assert "Not for diagnosis" in shown


def test_words_are_escaped():
    shown = evaluation_card(METRICS)
    assert "Look closer &lt;here&gt;." in shown
    assert "a &lt; b" in shown


def test_what_is_missing_is_left_out():
    assert "No verdict." in evaluation_card({})
    assert "Phantom" not in evaluation_card({})


def test_it_is_the_plain_dictionary():
    evaluation = Evaluation(METRICS)
    assert evaluation == METRICS
    assert json.loads(json.dumps(evaluation)) == METRICS
    assert evaluation._repr_html_() == evaluation_card(METRICS)


@pytest.mark.usefixtures("quick_encoder")
def test_what_evaluate_gives_shows_itself(toy_cohort, tmp_path, monkeypatch):
    from pet_dcgan.evaluation import evaluate as module

    monkeypatch.setattr(module, "save_pictures", lambda *_: {})
    run = cohort_run(tmp_path / "run", toy_cohort)
    found = evaluate(run)
    assert found == run.metrics()
    shown = found._repr_html_()
    assert found["verdict"]["headline"].split(":")[0] in shown
    for label in ("KID", "Coverage", "MS-SSIM", "PSNR", "SSIM", "twin"):
        row = shown[shown.index(label) :].split("</tr>")[0]
        assert "–" not in row.split("</td>")[1], label
