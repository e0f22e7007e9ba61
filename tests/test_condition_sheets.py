"""Sheets of a conditional generator's images."""

from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib import image as pictures
from toy_evaluation import CONFIG

from pet_dcgan.evaluation.condition_sheets import (
    Panel,
    save_panels,
    stage_steps,
)
from pet_dcgan.evaluation.plots import run_title


def save(path, *panels):
    save_panels(
        path,
        panels,
        ["seed 0", "seed 1"],
        words="words",
        config=CONFIG,
        plane="axial",
    )
    return pictures.imread(path)[..., :3]


def test_a_title_has_words_for_all_stages_and_planes():
    config = SimpleNamespace(
        stage="ALL", plane="ALL", preset="conditional", phantom=True
    )
    wanted = "every stage, every plane, conditional: training (phantom)"
    assert run_title(config, "training") == wanted
    config.plane = "axial"
    assert run_title(config, "it").startswith("every stage, axial, cond")
    config.plane = config.preset = "volume"
    wanted = "every stage, whole volumes, preset volume: it (phantom)"
    assert run_title(config, "it") == wanted


def test_steps_from_the_first_stage_to_the_last():
    assert stage_steps(("NC", "MCI", "AD")) == [
        ("NC", (1, 0, 0)),
        ("½ NC ½ MCI", (0.5, 0.5, 0)),
        ("MCI", (0, 1, 0)),
        ("½ MCI ½ AD", (0, 0.5, 0.5)),
        ("AD", (0, 0, 1)),
    ]
    assert [weights for _, weights in stage_steps(("NC", "AD"))] == [
        (1, 0, 0),
        (0.5, 0, 0.5),
        (0, 0, 1),
    ]


def test_no_difference_is_white_and_losses_are_blue(tmp_path):
    rows = np.zeros([2, 2, 32, 32])
    rows[:, 1] = -0.5
    drawn = save(tmp_path / "a.png", Panel(rows, ["a", "b"], signed=True))
    blue = np.all(drawn * 255 == [5, 48, 97], axis=-1)
    # two tiles of 128 pixels, and the end of the colour bar
    assert blue.sum() >= 2 * 128 * 128
    red = (drawn[..., 0] > 0.6) & (drawn[..., 2] < 0.3)
    assert red.sum() < 128 * 128 / 2


def test_the_scale_of_differences_is_symmetric_and_its_own(tmp_path):
    rows = np.full([2, 1, 32, 32], 0.01)
    weak, strong = (
        save(tmp_path / f"{n}.png", Panel(rows * n, ["a"], signed=True))
        for n in (1, 50)
    )
    # colours do not depend on how strong all of it is
    middle = weak.shape[0] // 2, weak.shape[1] // 3
    np.testing.assert_array_equal(weak[middle], strong[middle])


def test_panels_lie_side_by_side_and_bytes_repeat(tmp_path):
    grey = Panel(np.full([2, 3, 32, 32], 1.0), ["a", "b", "c"])
    signed = Panel(np.full([2, 1, 32, 32], np.nan), ["d"], signed=True)
    one = save(tmp_path / "one.png", grey, signed)
    save(tmp_path / "two.png", grey, signed)
    alone = save(tmp_path / "alone.png", grey)
    assert one.shape[1] > alone.shape[1] + 128
    assert (tmp_path / "one.png").read_bytes() == (
        tmp_path / "two.png"
    ).read_bytes()


@pytest.mark.parametrize("shape", [(1, 1), (3, 2)])
def test_rows_and_columns(tmp_path, shape):
    rows = np.ones([*shape, 32, 32])
    save_panels(
        tmp_path / "a.png",
        [Panel(rows, ["x"] * shape[1])],
        ["y"] * shape[0],
        words="words",
        config=CONFIG,
        plane="axial",
    )
    assert (tmp_path / "a.png").stat().st_size > 1000
