"""The copy check, on either side of every threshold.

The thresholds are repeated here, so that a change of one is noticed.
"""

import numpy as np
import pytest
from scipy import ndimage
from toy_brains import subjects_slices

from pet_dcgan.metrics.centring import centred
from pet_dcgan.metrics.memorization import (
    CopyTest,
    MemorizationCheck,
    Mixtures,
    OneSubjectError,
    authenticity,
    check_memorization,
    copy_test,
)


def column(*values):
    return np.array(values, float)[:, None]


def sample(count, seed, length=4):
    return np.random.default_rng(seed).normal(size=(count, length))


def clustered(subjects, slices, seed):
    """Slices that are all but equal within a subject, and their subjects."""
    rows = np.repeat(sample(subjects, seed), slices, axis=0)
    near = rows + 0.01 * sample(len(rows), seed + 1000)
    return near, np.repeat(np.arange(subjects), slices)


def greys(*values):
    """Images of a square of one grey, so that their distances are known."""
    square = np.zeros([32, 32], np.float32)
    square[8:24, 8:24] = 1
    return square * np.reshape(values, [-1, 1, 1])


class TestAuthenticity:
    def test_by_hand(self):
        train, synthetic = column(0, 1, 10), column(0.4, 3, 10.5, 30)
        # 0.4 and 10.5 are nearer to 0 and 10 than any other training row is
        assert authenticity(train, synthetic, subjects=[7, 8, 9]) == 2 / 4
        # 0 and 1 are of one subject: the nearest of another is 10 and 9 away
        assert authenticity(train, synthetic, subjects=[7, 7, 8]) == 1 / 4

    @pytest.mark.parametrize(("place", "share"), [(0.99, 0), (1, 0), (1.01, 1)])
    def test_a_copy_is_as_near_as_training_images_are_or_nearer(
        self, place, share
    ):
        # straight away from 0, whose neighbour is 1 away
        found = authenticity(column(0, 1), column(-place), subjects=["a", "b"])
        assert found == share

    def test_a_changed_subject_is_noticed_by_its_other_slices(self):
        train, subjects = clustered(20, 8, 0)
        changed = train + 0.1 * sample(len(train), 1)
        alone = np.arange(len(train))
        assert authenticity(train, changed, subjects=alone) > 0.9
        assert authenticity(train, changed, subjects=subjects) < 0.1

    @pytest.mark.parametrize(
        ("subjects", "message"),
        [(["a", "a"], "candidate of another subject"), (["a"], "each of 2")],
    )
    def test_bad_input_is_refused(self, subjects, message):
        with pytest.raises(ValueError, match=message):
            authenticity(column(1, 2), column(1), subjects=subjects)


class TestCopyTest:
    def test_by_hand(self):
        # distances 1, 2, 3 held out and 0.5, 2.5 synthetic: of six pairs the
        # synthetic one is nearer in four; mean 3, variance 6 * 6 / 12
        rows = column(0), column(1, 2, 3), column(0.5, 2.5)
        found = copy_test(*rows)
        assert found.share_nearer == pytest.approx(4 / 6)
        assert found.z_score == pytest.approx((2 - 3) / np.sqrt(3))
        assert found.p_value == pytest.approx(0.2819, abs=1e-4)
        # subject a (1 and 2): share 1/2; b (3): 1; two subjects, mean 3/4
        found = copy_test(*rows, held_out_subjects=["a", "a", "b"])
        assert found.share_nearer == pytest.approx(3 / 4)
        expected = -0.25 / np.sqrt((2 + 2 + 1) / (12 * 2 * 2))
        assert found.z_score == pytest.approx(expected)

    @pytest.mark.parametrize(
        ("distance", "share"), [(0.99, 0.5), (1.0, 0.25), (1.01, 0.0)]
    )
    def test_as_near_as_a_held_out_image_counts_half(self, distance, share):
        found = copy_test(column(0), column(1, 0.5), column(distance))
        assert found.share_nearer == share

    def test_slices_of_few_subjects_raise_no_false_alarm(self):
        alarms = np.zeros(2)
        for s in range(100):
            train, _ = clustered(20, 6, 5000 + s)
            held_out, subjects = clustered(5, 12, 6000 + s)
            new = sample(60, 7000 + s)  # of as many subjects
            by_slice, by_subject = (
                copy_test(train, held_out, new, held_out_subjects=each)
                for each in (None, subjects)
            )
            alarms += np.array([by_slice.p_value, by_subject.p_value]) < 0.01
        assert alarms[0] > 10  # ten times as often as it says, or more
        assert alarms[1] <= 4

    def test_many_slices_of_few_subjects_prove_no_more_than_few_can(self):
        train, held_out = sample(30, 0), sample(400, 1)
        subjects = np.arange(400) % 4
        found = copy_test(train, held_out, train, held_out_subjects=subjects)
        assert found.share_nearer == 1
        assert -np.sqrt(3 * 4) < found.z_score < -3

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"held_out": np.ones((3, 2))}, "one length"),
            ({"synthetic": np.full((3, 1), np.nan)}, "NaN or infinity"),
            ({"held_out_subjects": ["a"]}, "each of 3 rows .*found 1"),
        ],
    )
    def test_bad_input_is_refused(self, change, message):
        kinds = dict.fromkeys(
            ("train", "held_out", "synthetic"), column(1, 2, 3)
        )
        with pytest.raises(ValueError, match=message):
            copy_test(**kinds | change)


@pytest.fixture(scope="module")
def check():
    """`check(synthetic)`: against 12 training and 8 held-out subjects."""
    train, train_subjects, _ = subjects_slices(12, seed=1)
    held_out, held_out_subjects, _ = subjects_slices(8, seed=2)
    return lambda new, **changes: check_memorization(
        **{
            "train": centred(train),
            "held_out": centred(held_out),
            "synthetic": centred(new),
            "train_subjects": train_subjects,
            "held_out_subjects": held_out_subjects,
        }
        | changes
    )


@pytest.fixture(scope="module")
def replayed():
    """Sixty training slices, drawn as a generator would."""
    train, *_ = subjects_slices(12, seed=1)
    return train[np.random.default_rng(0).integers(0, len(train), 60)]


@pytest.fixture(scope="module")
def new():
    """One slice each of sixty new subjects."""
    images, *_ = subjects_slices(60, seed=3)
    chosen = np.random.default_rng(1).integers(0, 6, 60)
    return images[chosen + np.arange(0, 360, 6)]


def noisy(images):
    return images + np.random.default_rng(2).normal(0, 0.05, images.shape)


CHANGES = {
    "shift": lambda images: np.roll(images, (1, -2), (1, 2)),
    "blur": lambda images: ndimage.gaussian_filter(images, (0, 0.7, 0.7)),
    "all": lambda images: noisy(np.roll(images, 1, 2)) * 0.98,
    "mirror": lambda images: np.roll(images[:, :, ::-1], 1, 2),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_generator_that_replays_is_caught(check, replayed, change):
    found = check(CHANGES[change](replayed))
    assert found.verdict == "copies"
    assert len(found.suspects) > 54
    assert found.words.startswith("Copies of training subjects: ")
    assert found.mirrored[found.suspects].all() == (change == "mirror")
    if change != "mirror":  # C_T and authenticity do not turn images
        assert found.test.z_score < -3
        assert found.authenticity < 0.1 < found.held_out_authenticity


def test_new_subjects_pass(check, new):
    found = check(new)
    assert found.verdict == "no sign"
    assert len(found.suspects) == found.held_out_suspects == found.certain == 0
    assert found.authenticity > 0.5 * found.held_out_authenticity
    assert "No sign of copies: none of 60" in found.words
    assert "by 8 held-out subjects" in found.words
    # 1 - 0.05^(1/60)
    assert found.bound == pytest.approx(0.048703, abs=1e-6)
    assert "at most 4.9 % of all images" in found.words
    assert "count as one" not in found.words
    assert "Not enough evidence" not in found.words


@pytest.mark.parametrize("turn", [1, -1])
def test_one_copy_among_a_thousand_is_enough(check, new, replayed, turn):
    many = np.tile(new, (17, 1, 1))[:1000]
    many[123] = np.roll(replayed[7], 1, 1)[:, ::turn]
    found = check(many)
    assert found.verdict == "copies"
    assert found.suspects.tolist() == [123]
    assert found.certain == 1
    assert found.mirrored[123] == (turn == -1)
    train, *_ = subjects_slices(12, seed=1)
    np.testing.assert_array_equal(train[found.nearest[123]], replayed[7])
    assert "1 of 1,000 synthetic images is, " in found.words
    assert "1 of them under 0.3 times (a certain copy)" in found.words
    assert ("1 of them mirrored" in found.words) == (turn == -1)
    # Clopper-Pearson, one of 1,000
    assert found.bound == pytest.approx(0.0047350, abs=1e-6)


def test_a_few_copies_among_many_are_caught_and_paired(check, replayed, new):
    found = check(np.concatenate([new[:54], replayed[:6]]))
    assert found.test.p_value > 0.01  # the test of the whole misses them
    assert set(found.suspects) == set(range(54, 60))
    assert np.all(np.diff(found.ratios[found.suspects]) >= 0)
    assert found.verdict == "copies"
    train, *_ = subjects_slices(12, seed=1)
    pairs = train[found.nearest[54:]]
    np.testing.assert_array_equal(pairs, replayed[:6])


def test_a_subject_under_two_names_does_not_hide_a_copy(check, replayed, new):
    train, subjects, _ = subjects_slices(12, seed=1)
    twice = np.concatenate([train, noisy(train[:12])])
    names = np.concatenate([subjects, np.repeat(["x", "y"], 6)])
    many = np.concatenate([new, train[:12]])
    changes = {"train": centred(twice), "train_subjects": names}
    found = check(many, **changes)
    assert found.repeated == 2
    assert sorted(found.suspects) == list(range(60, 72))
    assert "2 of the training subjects are near duplicates" in found.words
    assert not {"x", "y", *subjects} & set(found.words.split())


def test_smooth_or_far_images_are_no_copies_but_not_cleared(check):
    images, *_ = subjects_slices(60, seed=4)
    slices = images.reshape(60, 6, 32, 32)
    means = np.concatenate([slices[i::10].mean(0) for i in range(10)])
    found = check(means)
    assert found.verdict == "nearer"
    assert "too smooth" in found.words
    found = check(np.random.default_rng(0).random([60, 32, 32]))
    assert found.verdict == "too far to tell"
    assert "as far from all real ones" in found.words


def test_means_of_two_subjects_are_mixtures(check, new):
    train, *_ = subjects_slices(12, seed=1)
    means = (train[:30] + train[36:66]) / 2
    found = check(np.concatenate([means, new[:30]]))
    assert found.mixtures.synthetic > 0.1
    assert found.mixtures.held_out == check(new).mixtures.synthetic == 0
    assert found.verdict == "nearer"
    assert (
        "0.0% of the held-out images are less than half as far from a mean"
        in (found.words)
    )


def made(*, ratios=(1.0,), **changes):
    numbers = {
        "held_out_suspects": 0.0,
        "suspects_p_value": 0.0,
        "held_out_subjects": 8,
        "mixtures": (0.0, 0.0, 0.0),
        "p_value": 0.5,
        "z_score": 0.0,
    }
    numbers |= changes
    return MemorizationCheck(
        ratios=np.array(ratios),
        nearest=np.zeros(len(ratios), int),
        mirrored=np.zeros(len(ratios), bool),
        repeated=0,
        mixtures=Mixtures(*numbers.pop("mixtures")),
        test=CopyTest(numbers.pop("z_score"), numbers.pop("p_value"), 0.5),
        authenticity=0.9,
        held_out_authenticity=0.9,
        **numbers,
    )


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ({}, "no sign"),
        # one is enough, whatever held-out images have
        ({"ratios": [0.2999]}, "copies"),
        ({"ratios": [0.2999], "suspects_p_value": 1.0}, "copies"),
        ({"ratios": [0.2999], "p_value": 0.0, "z_score": 9.0}, "copies"),
        ({"ratios": [0.3]}, "suspects"),
        ({"ratios": [0.4999]}, "suspects"),
        ({"ratios": [0.5]}, "no sign"),
        ({"ratios": [0.4], "suspects_p_value": 0.0499}, "suspects"),
        ({"ratios": [0.4], "suspects_p_value": 0.05}, "no sign"),
        (
            {"ratios": [0.4], "suspects_p_value": 1, "held_out_subjects": 7},
            "suspects",
        ),
        ({"ratios": [0.4], "p_value": 0.0, "z_score": 9.0}, "suspects"),
        ({"mixtures": (0.1, 0.0, 0.0499)}, "nearer"),
        ({"mixtures": (0.1, 0.0, 0.05)}, "no sign"),
        ({"mixtures": (0.1, 0.0, 1), "held_out_subjects": 7}, "nearer"),
        ({"p_value": 0.0099}, "nearer"),
        ({"p_value": 0.01}, "no sign"),
        ({"z_score": 3.0}, "no sign"),
        ({"z_score": 3.03}, "too far to tell"),
        # nearness comes before distance
        ({"p_value": 0.0, "z_score": 9.0}, "nearer"),
    ],
)
def test_where_one_verdict_ends_and_the_next_begins(numbers, expected):
    assert made(**numbers).verdict == expected


def test_few_held_out_subjects_clear_nobody():
    assert "Not enough evidence" in made(held_out_subjects=7).words
    assert "Not enough evidence" not in made(held_out_subjects=8).words


def test_the_rate_that_is_left_possible():
    for count in (1, 10, 10_000):
        clean = made(ratios=[1.0] * count)
        assert clean.bound == pytest.approx(1 - 0.05 ** (1 / count))
    assert made(ratios=[0.1] * 3).bound == 1


# a grey between 1 and 4, with its distance to 1 over that to 4 as named
NEARER, HALF, AS_NEAR = ((1 + 4 * r) / (1 + r) for r in (0.495, 0.5, 0.505))


@pytest.mark.parametrize(
    ("grey", "share"), [(NEARER, 1.0), (HALF, 0.0), (AS_NEAR, 0.0)]
)
def test_a_near_duplicate_is_less_than_half_as_far_from_one(grey, share):
    def check(held_out, synthetic):
        return check_memorization(
            greys(1, 4),
            greys(*held_out),
            greys(*synthetic),
            train_subjects=["a", "b"],
            held_out_subjects=["c", "d"],
        )

    assert check([grey] * 2, [2.4, 2.6]).held_out_suspects == share
    assert len(check([2.4, 2.6], [grey, 2.5]).suspects) == share


class TestBadInput:
    def test_one_subject_under_any_number_of_names(self, check, new):
        train, *_ = subjects_slices(1, seed=1)
        for names in (1, 2, 3):
            changes = {
                "train": centred(np.tile(train, (names, 1, 1))),
                "train_subjects": np.repeat(np.arange(names), 6),
            }
            with pytest.raises(OneSubjectError, match="found those of one"):
                check(new, **changes)

    def test_constant_images(self, check, new):
        grey = {"train": greys(*[1.0] * 6), "train_subjects": [*"aabbcc"]}
        with pytest.raises(OneSubjectError, match="near duplicates"):
            check(new, **grey)
        # as far from all subjects as from none of them
        found = check(np.ones([60, 32, 32]))
        assert len(found.suspects) == 0
        assert found.verdict == "too far to tell"

    def test_not_a_number_is_refused(self, check, new):
        broken = np.full([6, 32, 32], np.nan)
        for name in ("train", "held_out", "synthetic"):
            subjects = {f"{name}_subjects": [*"aabbcc"]}
            if name == "synthetic":
                subjects = {}
            with pytest.raises(ValueError, match="NaN or infinity"):
                check(new, **{name: broken}, **subjects)

    def test_two_subjects_are_searched(self, check, new):
        train, subjects, _ = subjects_slices(2, seed=1)
        found = check(
            np.concatenate([new, train[:1]]),
            train=centred(train),
            train_subjects=subjects,
        )
        assert found.repeated == 0
        assert 60 in found.suspects
