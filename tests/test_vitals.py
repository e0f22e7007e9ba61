import numpy as np
import pytest

from pet_dcgan.training.vitals import RealImages, pooled, pooled_stored

SUBJECTS = np.repeat(["a", "b", "c", "d"], 4)


def rows(seed, count=16, spread=1.0):
    rng = np.random.default_rng(seed)
    return rng.normal(1.0, spread, [count, 1024]).astype(np.float32)


@pytest.fixture
def real():
    return RealImages(rows(0), SUBJECTS, rows(1))


class TestPooled:
    def test_is_the_mean_over_squares(self):
        images = np.arange(2 * 64 * 64, dtype=float).reshape(2, 64, 64)
        found = pooled(images)
        assert found.shape == (2, 1024)
        assert found.dtype == np.float32
        # pixels 0, 1, 64, 65 of the first image; 62, 63, 126, 127 end its row
        assert found[0, 0] == 32.5
        assert found[0, 31] == 94.5

    @pytest.mark.parametrize(
        "shape",
        [
            *((2, 31, 31), (2, 48, 48), (2, 64, 32), (64, 64), (2, 0, 0), ()),
            *((2, 32, 32, 16), (2, 24, 24, 24), (2, 0, 0, 0)),
        ],
    )
    def test_refuses_another_shape(self, shape):
        with pytest.raises(ValueError, match="a multiple of 32, or volumes"):
            pooled(np.zeros(shape))

    def test_volumes_are_means_over_cubes(self):
        volumes = np.arange(2 * 32**3, dtype=float).reshape(2, 32, 32, 32)
        found = pooled(volumes)
        assert found.shape == (2, 4096)
        # voxels 0 and 1 along each axis: a mean of half of each stride
        assert found[0, 0] == (1 + 32 + 1024) / 2
        assert found[0, 1] == found[0, 0] + 2

    def test_reads_stored_volumes_in_parts(self, monkeypatch):
        rng = np.random.default_rng(0)
        stored = rng.integers(0, 65536, [5, 16, 16, 16]).astype(np.uint16)
        monkeypatch.setattr("pet_dcgan.training.vitals._VOLUMES", 3)
        np.testing.assert_allclose(
            pooled_stored(stored, 2.5),
            pooled(stored / 65535 * 2.5),
            atol=1e-6,
        )
        assert pooled_stored(stored[:0], 2.5).shape == (0, 4096)

    def test_reads_stored_images_in_parts(self, monkeypatch):
        rng = np.random.default_rng(0)
        stored = rng.integers(0, 65536, [7, 64, 64]).astype(np.uint16)
        monkeypatch.setattr("pet_dcgan.training.vitals._CHUNK", 3)
        found = pooled_stored(stored, 2.5)
        np.testing.assert_allclose(
            found, pooled(stored / 65535 * 2.5), atol=1e-6
        )
        assert pooled_stored(stored[:0], 2.5).shape == (0, 1024)


class TestVitals:
    def test_images_of_the_same_kind_are_healthy(self, real):
        vitals = real.vitals(rows(2))
        assert vitals.diversity == pytest.approx(1.0, abs=0.02)
        assert vitals.distinctness == pytest.approx(1.0, abs=0.1)
        assert vitals.misfit == pytest.approx(0.0, abs=0.01)
        assert vitals.training_distance == pytest.approx(1.0, abs=0.02)
        assert real.vitals(rows(2) + 3.0).misfit > 0.3

    def test_one_image_again_and_again_has_no_diversity(self, real):
        vitals = real.vitals(np.repeat(rows(2, 1), 8, axis=0))
        assert vitals.diversity == 0
        assert vitals.distinctness == 0
        assert vitals.misfit > 0.2

    def test_few_kinds_are_diverse_but_not_distinct(self, real):
        vitals = real.vitals(np.repeat(rows(2, 4), 8, axis=0))
        assert vitals.diversity == pytest.approx(0.77, abs=0.02)
        assert vitals.distinctness == 0

    def test_copies_of_training_images_have_no_distance(self, real):
        copies = rows(0)[::2]
        assert real.vitals(copies).training_distance == 0
        near = copies + rows(3, 8, spread=0.1) - 1.0
        assert real.vitals(near).training_distance == pytest.approx(
            0.1 / np.sqrt(2), rel=0.05
        )

    def test_values_by_hand(self):
        # points on a line: training 0 and 2, held out at 3, generated 1 and 5
        line = np.zeros([5, 1024])
        line[:, 0] = 0, 2, 3, 1, 5
        real = RealImages(line[:2], ["a", "b"], line[2:3])
        vitals = real.vitals(line[3:])
        assert vitals.diversity == 4 / 2
        assert vitals.distinctness == 4 / 2
        across = (1 + 1 + 5 + 3) / 4
        assert vitals.misfit == pytest.approx(
            (2 * across - 4 - 2) / (2 * across)
        )
        # nearest are 1 and 3 away, their median 2; the held-out one is 1 away
        assert vitals.training_distance == 2

    def test_without_held_out_images_other_subjects_stand_in(self):
        training = np.zeros([4, 1024])
        training[:, 0] = 0, 1, 10, 11
        real = RealImages(training, ["a", "a", "b", "b"])
        generated = np.zeros([2, 1024])
        generated[:, 0] = 5, 5
        # from 0, 1, 10, 11 to the other subject: 10, 9, 9, 10
        assert real.vitals(generated).training_distance == pytest.approx(
            4 / 9.5
        )
        empty = RealImages(training, ["a", "a", "b", "b"], training[:0])
        assert empty.vitals(generated) == real.vitals(generated)

    def test_what_cannot_be_compared_is_unknown(self):
        one_subject = RealImages(rows(0), ["a"] * 16).vitals(rows(2))
        assert np.isnan(one_subject.training_distance)
        assert one_subject.diversity == pytest.approx(1.0, abs=0.02)
        alike = RealImages(np.ones([4, 1024]), list("abcd"), np.ones([2, 1024]))
        vitals = alike.vitals(rows(2))
        assert np.isnan(vitals.diversity)
        assert np.isnan(vitals.training_distance)

    @pytest.mark.parametrize(("count", "whole"), [(512, 1), (513, 0)])
    def test_up_to_512_real_images_are_compared_with_each_other(
        self, count, whole
    ):
        line = np.arange(count)[:, None].astype(float)
        # two of so many points on a line are so far apart, if all count
        apart = np.array([[0], [(count + 1) / 3]])
        found = RealImages(line, np.arange(count)).vitals(apart).diversity
        assert (found == pytest.approx(1, rel=1e-6)) == whole
        # the nearest training image is searched among all
        copies = RealImages(line, np.arange(count)).vitals(line[1::2])
        assert copies.training_distance == 0

    @pytest.mark.parametrize(
        ("bad", "message"),
        [
            (np.full([4, 1024], np.nan), "finite"),
            (np.ones([1, 1024]), "at least 2 rows"),
            (np.ones([4, 512]), "rows"),
        ],
    )
    def test_bad_rows_are_refused(self, real, bad, message):
        with pytest.raises(ValueError, match=message):
            real.vitals(bad)
        if bad.shape[-1] == 1024:
            with pytest.raises(ValueError, match=message):
                RealImages(bad, ["a"] * len(bad))
