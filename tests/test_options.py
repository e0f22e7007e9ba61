import pytest
import typer

from pet_dcgan.cli.options import known_preset, parse_settings


def test_settings_and_options_are_read_together():
    overrides = parse_settings(
        "demo", ["width=8"], epochs=3, precision=None, deterministic="true"
    )
    assert overrides == {"width": "8", "epochs": "3", "deterministic": "true"}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["epochs=4"], "epochs once, found --epochs 3 and --set epochs=4"),
        (["widht=4"], "expected a setting among width"),
        (["r1_every=4"], "expected r1_weight with r1_every 4, found 0"),
    ],
)
def test_what_cannot_be_set_is_refused_before_anything_is_loaded(
    settings, message
):
    with pytest.raises(typer.BadParameter, match=message) as caught:
        parse_settings("demo", settings, epochs=3)
    assert caught.value.param_hint == "--set"


def test_an_unknown_preset_is_refused_with_the_nearest():
    assert known_preset("paper") == "paper"
    with pytest.raises(typer.BadParameter, match="among paper, found 'papre'"):
        known_preset("papre")
