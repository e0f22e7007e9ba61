import dataclasses

import pytest

from pet_dcgan.models.dcgan import build_dcgan
from pet_dcgan.models.networks import build_discriminator, build_generator
from pet_dcgan.training.dry_run import (
    describe,
    forward_operations,
    matrix_product_rate,
    plan,
    step_operations,
)

SMALL = {"size": 32, "channels": 1, "width": 4}


def test_operations_of_a_layer_by_hand():
    generator = forward_operations(build_generator(latent_dim=6, **SMALL))
    # 6 by 4*4*16 products, and as many additions
    assert generator["project"] == 2 * 6 * 256
    # at each of 4x4 inputs, 5x5 taps from 16 to 8 channels
    assert generator["up_8"] == 2 * 16 * 25 * 16 * 8
    assert list(generator) == ["project", "up_8", "up_16", "up_32"]
    discriminator = forward_operations(build_discriminator(**SMALL))
    # at each of 16x16 outputs, 5x5 taps from 1 to 4 channels
    assert discriminator["down_16"] == 2 * 256 * 25 * 1 * 4
    assert discriminator["logit"] == 2 * 4 * 4 * 16


def test_the_papers_networks_take_1_7_gflop_an_image_each():
    generator = forward_operations(build_generator())
    discriminator = forward_operations(build_discriminator())
    # 5x5 taps from 1024 to 512 channels at 4x4 places, and three more layers
    # that halve both channels and double both sides: the same number
    large = 2 * 25 * 1024 * 512 * 16
    assert [generator[f"up_{side}"] for side in (8, 16, 32, 64)] == [large] * 4
    assert [discriminator[f"down_{s}"] for s in (32, 16, 8, 4)] == [large] * 4
    # from 64 to 3 channels and back at 64x64 places, and the dense layers
    small = 2 * 25 * 64 * 3 * 64 * 64
    assert sum(generator.values()) == 4 * large + small + 2 * 100 * 16384
    assert sum(discriminator.values()) == 4 * large + small + 2 * 16384


def test_a_step_by_hand(tiny_model):
    model = tiny_model()
    g = forward_operations(model.generator)
    d = forward_operations(model.discriminator)
    forward_and_back = 3 * sum(d.values()) - d["down_16"]
    generator_back = 3 * sum(g.values()) - g["project"]
    expected = 2 * forward_and_back + 2 * sum(d.values()) + generator_back
    assert step_operations(model) == expected


def test_a_plan_counts_data_steps_and_parameters(tiny_config):
    config = tiny_config(epochs=3, batch_size=5)
    planned = plan(config, flops_per_second=1e9)
    assert (planned.subjects, planned.slices) == (3, 12)
    assert (planned.steps_per_epoch, planned.total_steps) == (2, 6)
    model = build_dcgan(config)
    for network, count in (
        (model.generator, planned.generator_parameters),
        (model.discriminator, planned.discriminator_parameters),
    ):
        assert count == sum(w.numpy().size for w in network.trainable_weights)
    work = step_operations(model) * 5 * 6
    assert planned.gflop_per_image == step_operations(model) / 1e9
    assert planned.seconds == pytest.approx(work / 1e9 / planned.efficiency)
    assert planned.memory_bytes["images"] == 2 * 12 * 32 * 32 * 2


def test_a_wider_model_takes_more_of_everything(tiny_config):
    narrow = plan(tiny_config(width=4), flops_per_second=1e9)
    wide = plan(tiny_config(width=8), flops_per_second=1e9)
    assert wide.seconds > 2 * narrow.seconds
    for part in ("weights", "activations"):
        assert wide.memory_bytes[part] > 1.5 * narrow.memory_bytes[part]


def test_a_penalty_takes_another_way_there_and_back(tiny_config):
    judge = forward_operations(build_dcgan(tiny_config()).discriminator)
    more = 3 * sum(judge.values()) + judge["down_16"]
    plain, always, lazy = (
        step_operations(build_dcgan(tiny_config(**options)))
        for options in ({}, {"r1_weight": 1}, {"r1_weight": 1, "r1_every": 4})
    )
    assert always - plain == more
    assert lazy - plain == pytest.approx(more / 4, abs=1)


def test_a_run_to_start_from_is_looked_for(tiny_config):
    config = dataclasses.replace(tiny_config(), warm_start="/nowhere")
    with pytest.raises(FileNotFoundError, match="expected a run folder"):
        plan(config, flops_per_second=1e9)


def test_planning_leaves_nothing_behind(tiny_config, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    plan(tiny_config(), flops_per_second=1e9)
    assert not list(tmp_path.iterdir())


def test_too_few_images_are_found_before_the_start(tiny_config):
    with pytest.raises(ValueError, match="--set batch_size=12"):
        plan(tiny_config(batch_size=64), flops_per_second=1e9)


@pytest.mark.parametrize(
    ("speed", "duration"), [(1e10, " s "), (1e5, " min "), (1e3, " h ")]
)
def test_the_text_names_every_number(tiny_config, speed, duration):
    planned = plan(tiny_config(), flops_per_second=speed)
    text = describe(planned)
    for field in ("stage", "batch_size", "g_learning_rate", "phantom"):
        assert f"\n{field} " in text
    assert "3 subjects, 12 slices" in text
    assert "3 an epoch, 6 in all" in text
    assert f"generator {planned.generator_parameters:,}," in text
    assert duration in text.partition("time, estimated")[2]
    assert " GB (process 0.70, " in text
    # the values stand below each other
    width = text.index("demo")
    assert {x.ljust(width)[width - 1] for x in text.splitlines()} == {" "}
    assert "\naugment_probability 0.0\n" in text


def test_the_speed_is_measured_when_not_given(tiny_config):
    assert matrix_product_rate(side=64, repeats=1) > 0
    assert plan(tiny_config()).flops_per_second > 0
