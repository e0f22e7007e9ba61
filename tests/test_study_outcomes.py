import numpy as np
import pytest

from pet_dcgan.study.statistics import METRICS, Answer, draw, resampled


def answer(seed, classes=2, count=12):
    rng = np.random.default_rng(seed)
    odds = rng.random([count, classes])
    return Answer(
        np.array([f"s{i:02}" for i in range(count)]),
        np.arange(count) % classes,
        odds / odds.sum(axis=1, keepdims=True),
    )


def test_scores_counted_by_hand():
    ones = np.array([0.1, 0.6, 0.4, 0.9])
    said = Answer(
        np.array(list("abcd")),
        np.array([0, 0, 1, 1]),
        np.stack([1 - ones, ones], axis=1),
    )
    assert said.scores() == {
        "accuracy": 0.5,
        "balanced_accuracy": 0.5,
        "auc": 0.75,
    }


@pytest.mark.parametrize("classes", [2, 3])
def test_everyone_drawn_once_gives_the_scores_themselves(classes):
    answers = [answer(seed, classes) for seed in range(3)]
    draws = draw(answers[0].truth, 3, resamples=2, seed=0)
    once = type(draws)(np.ones([1, 12]), np.full([1, 3], 1 / 3))
    found = resampled(answers, once)
    for name in METRICS:
        expected = np.mean([a.scores()[name] for a in answers])
        assert found[name] == pytest.approx([expected])


@pytest.mark.parametrize("classes", [2, 3])
def test_a_resample_is_the_scores_of_repeated_subjects(classes):
    one = answer(5, classes)
    draws = draw(one.truth, 1, resamples=6, seed=1)
    found = resampled([one], draws)
    for number, counts in enumerate(draws.subjects.astype(int)):
        rows = np.repeat(np.arange(12), counts)
        again = Answer(
            one.subjects[rows], one.truth[rows], one.probabilities[rows]
        )
        for name in METRICS:
            assert found[name][number] == pytest.approx(again.scores()[name])


def test_as_many_of_each_stage_are_drawn_as_there_are():
    truth = np.array([0] * 5 + [1] * 9)
    draws = draw(truth, 4, resamples=50, seed=0)
    assert (draws.subjects[:, :5].sum(axis=1) == 5).all()
    assert (draws.subjects[:, 5:].sum(axis=1) == 9).all()
    np.testing.assert_allclose(draws.seeds.sum(axis=1), 1)
    assert draws.subjects.std() > 0
    assert draws.seeds.std() > 0
