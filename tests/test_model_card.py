import dataclasses

from test_served import FACTS

from pet_dcgan.serving.model_card import model_card

SUMMARY = {"mean": 25.1234, "median": 25.0, "sd": 1.5, "n": 8}
METRICS = {
    "evaluated": True,
    "images": {"synthetic": 8, "held_out": 8},
    "subjects": {"training": 3, "held_out": 2},
    "pairing": {"nearest": "the nearest one", "random": "one at random"},
    "no_real_against_real": None,
    "psnr": {
        kind: {"nearest": SUMMARY, "random": SUMMARY | {"mean": None}}
        for kind in ("synthetic", "real")
    },
    "ssim": {
        kind: {"nearest": SUMMARY | {"mean": 0.75}, "random": SUMMARY}
        for kind in ("synthetic", "real")
    },
}


def card(facts=FACTS, slices=12, metrics=METRICS):
    return model_card(facts, subjects=3, slices=slices, metrics=metrics)


def test_a_model_of_all_stages_says_so():
    text = card(dataclasses.replace(FACTS, stage="ALL"))
    assert "# all: " in text
    assert "of all stages together" in text
    assert "at the stage AD." in card()


def test_says_what_it_is_and_is_not():
    text = card()
    for words in (
        "# ad: ",
        "| training subjects | 3 |",
        "| training slices | 12 |",
        "| preset | demo |",
        "| SUVR | PNG value / 65535 x 2.5 |",
        "**Not for diagnosis**",
        "MIT licence",
        "10.1186/s40708-020-00104-2",
    ):
        assert words in text
    assert text.endswith("\n")
    assert not any(line.endswith(" ") for line in text.splitlines())


def test_table_has_the_baselines_beside():
    text = card()
    assert (
        "| synthetic against held-out real | nearest | 25.12 ± 1.50 "
        "| 0.7500 ± 1.5000 |\n"
    ) in text
    assert "| real against real of another subject | random | not known" in text
    assert "- nearest: the nearest one\n" in text


def test_missing_baseline_is_given_its_reason():
    metrics = METRICS | {
        "no_real_against_real": "found one subject",
        "psnr": METRICS["psnr"] | {"real": None},
        "ssim": METRICS["ssim"] | {"real": None},
    }
    text = card(metrics=metrics)
    assert "another subject | nearest | not known | not known |" in text
    assert "- found one subject\n" in text


def test_single_image_has_no_spread():
    single = SUMMARY | {"sd": None}
    psnr = {k: {"nearest": single, "random": single} for k in METRICS["psnr"]}
    assert "| nearest | 25.12 | 0.75" in card(metrics=METRICS | {"psnr": psnr})


def test_not_evaluated_and_slices_unknown():
    text = card(slices=None, metrics={"evaluated": False})
    assert "Not evaluated." in text
    assert "| training slices | not recorded |" in text


def test_phantom_is_marked_only_where_it_is_one():
    assert "**PHANTOM.**" in card()
    real = card(facts=dataclasses.replace(FACTS, phantom=False))
    assert "PHANTOM" not in real
    assert "| phantom | no |" in real
