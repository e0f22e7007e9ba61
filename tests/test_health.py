import numpy as np
import pytest
from health_looks import make_looks

from pet_dcgan.training.health.states import (
    FAILED_LOOKS,
    LOOKS,
    PATIENT_LOOKS,
    examine,
    non_finite,
)

WON = {"real_accuracy": 1.0, "fake_accuracy": 0.99, "g_loss": 6.0}
LOST = {"fake_accuracy": 0.1, "g_loss": 0.1}
ALIKE = {"diversity": 0.3, "misfit": 0.45}
FEW = {"distinctness": 0.02}
COPIES = {"training_distance": 0.5}


@pytest.fixture
def states(tiny_config):
    def found(looks, **settings):
        return [f.state for f in examine(looks, tiny_config(**settings))]

    return found


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        (WON, "discriminator_winning"),
        (LOST, "generator_winning"),
        (ALIKE, "collapse"),
        (FEW, "collapse"),
        (COPIES, "memorisation"),
    ],
)
def test_a_state_is_found_when_enough_looks_show_it(states, changes, state):
    assert states(make_looks(LOOKS, **changes)) == [state]
    assert states(make_looks(LOOKS - 1, **changes)) == []
    sound_before = [*make_looks(9), *make_looks(LOOKS - 1, **changes)]
    assert states(sound_before) == []
    assert states([*sound_before, *make_looks(1, **changes)]) == [state]


def test_a_sound_training_is_left_alone(states):
    assert states([]) == []
    assert states(make_looks(40)) == []


@pytest.mark.parametrize(
    "changes",
    [
        WON | {"real_accuracy": 0.98},
        WON | {"fake_accuracy": 0.98},
        # recognised with ease, yet the images are good
        WON | {"g_loss": 4.9},
        LOST | {"fake_accuracy": 0.21},
        # what a slow start showed: undecided rather than beaten
        LOST | {"g_loss": 0.4},
        ALIKE | {"diversity": 0.46},
        FEW | {"distinctness": 0.051},
        COPIES | {"training_distance": 0.61},
    ],
)
def test_what_falls_short_of_a_state_is_none(states, changes):
    assert states(make_looks(LOOKS, **changes)) == []


def test_one_better_look_among_them_is_enough(states):
    for changes in (WON, LOST, FEW, COPIES):
        looks = make_looks(LOOKS, **changes)
        looks[2] = make_looks(1)[0]
        assert states(looks) == []


def test_a_young_generator_has_not_collapsed(states):
    # what a healthy training showed in its first 250 steps (AD, width 16)
    rising = {
        "diversity": (0.05, 0.1, 0.3, 0.4, 0.44),
        "distinctness": (0.04, 0.07, 0.2, 0.28, 0.3),
        "misfit": (0.84, 0.77, 0.5, 0.33, 0.2),
    }
    assert states(make_looks(5, **rising)) == []
    noise = {"diversity": 0.1, "distinctness": 0.04, "misfit": 0.83}
    assert states(make_looks(LOOKS, **noise)) == []
    nearing = {"diversity": 0.3, "misfit": (0.6, 0.55, 0.5, 0.45, 0.4)}
    assert states(make_looks(5, **nearing)) == []


def test_a_late_collapse_is_found(states):
    fall = {"diversity": (0.44, 0.4, 0.3, 0.2, 0.2), "misfit": 0.3}
    assert states([*make_looks(20), *make_looks(5, **fall)]) == ["collapse"]


def test_a_discriminator_wins_sooner_where_images_do_not_improve(states):
    # at step 250 of a training that took 1,000 to get going
    early = WON | {"g_loss": 3.0}
    assert states(make_looks(5, **early, misfit=0.86)) == [
        "discriminator_winning"
    ]
    assert states(make_looks(5, **early, misfit=0.29)) == []
    falling = (0.86, 0.84, 0.83, 0.82, 0.81)
    assert states(make_looks(5, **early, misfit=falling)) == []


def test_standing_still_takes_patience_and_bad_images(states):
    still = make_looks(PATIENT_LOOKS, misfit=0.8)
    assert states(still) == ["no_progress"]
    assert states(still[1:]) == []
    assert states(make_looks(PATIENT_LOOKS, misfit=0.29)) == []
    slowly = [0.8 - 0.01 * look for look in range(PATIENT_LOOKS)]
    assert states(make_looks(PATIENT_LOOKS, misfit=slowly)) == []
    worse = [0.8 + 0.01 * look for look in range(PATIENT_LOOKS)]
    assert states(make_looks(PATIENT_LOOKS, misfit=worse)) == ["no_progress"]


def test_a_cause_hides_its_consequences_but_not_copies(states):
    everything = ALIKE | FEW | COPIES | {"misfit": 0.6}
    for winner, state in (
        (WON, "discriminator_winning"),
        (LOST, "generator_winning"),
    ):
        looks = make_looks(PATIENT_LOOKS, **everything, **winner)
        assert states(looks) == [state, "memorisation"]
    looks = make_looks(PATIENT_LOOKS, **everything)
    assert states(looks) == ["collapse", "memorisation"]


def test_a_cause_found_not_long_ago_explains_bad_images(states):
    won = make_looks(LOOKS, **WON, misfit=0.8)
    undecided = make_looks(PATIENT_LOOKS, misfit=0.8)
    assert states(won) == ["discriminator_winning"]
    for count in range(1, PATIENT_LOOKS):
        assert states([*won, *undecided[:count]]) == []
    assert states([*won, *undecided]) == ["no_progress"]


def test_what_cannot_be_compared_is_no_state(states):
    unknown = dict.fromkeys(
        ("diversity", "distinctness", "misfit", "training_distance"), np.nan
    )
    assert states(make_looks(PATIENT_LOOKS, **unknown)) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (WON, r"recognises 99% of all images, and at a loss of 6\.0"),
        (LOST, "recognises only 10% of its images"),
        (ALIKE, "differ from each other 30% as much"),
        (FEW, "another one 2% as far"),
        (COPIES, "lie 50% as far from the nearest training image"),
        ({"misfit": 0.8}, r"as at epoch 1, with a misfit of 0\.80"),
    ],
)
def test_words_hold_the_numbers_and_the_remedy(tiny_config, changes, words):
    looks = make_looks(PATIENT_LOOKS, **changes)
    (finding,) = examine(looks, tiny_config())
    assert "\n" not in str(finding)
    assert finding.remedy in str(finding)
    assert "--set " in finding.remedy
    with pytest.raises(ValueError, match=words):
        raise ValueError(str(finding))


@pytest.mark.parametrize(
    "changes", [WON, LOST, ALIKE, FEW, COPIES, {"misfit": 0.8}]
)
def test_a_state_that_lasts_is_a_failure_but_for_copies(tiny_config, changes):
    def failure(looks):
        (finding,) = examine(looks, tiny_config())
        return finding.failure

    looks = make_looks(FAILED_LOOKS, **changes)
    assert failure(looks) == (changes is not COPIES)
    assert not failure(looks[1:])
    assert not failure([*make_looks(20), *looks[1:]])


def test_numbers_that_are_none_are_a_failure_at_once():
    assert non_finite("g_loss nan").failure


def test_a_look_is_sound_when_it_shows_none_of_the_states():
    (sound,) = make_looks(1)
    assert sound.sound
    for changes in (WON, LOST, ALIKE, FEW, COPIES, {"misfit": 0.31}):
        assert not make_looks(1, **changes)[0].sound
    assert make_looks(1, training_distance=np.nan)[0].sound
