import nibabel as nib
import numpy as np
import pytest

from tfds_adni.sources.timing import FrameTiming
from tfds_adni.volumes.frames import (
    EARLY,
    OUTSIDE,
    PARTIAL,
    UNTIMED,
    weigh_frames,
)
from tfds_adni.volumes.reading import Reading
from tfds_adni.volumes.volume import VolumeError, examine, load_volume

AFFINE = np.array([[2.0, 0, 0, -9], [0, 2, 0, -9], [0, 0, 2, -9], [0, 0, 0, 1]])
HOUR = FrameTiming(
    (0, 60, 600, 1800, 2400, 3000), (60, 540, 1200, 600, 600, 600)
)


def series(path, frames, *, fifth=False):
    data = np.stack(frames, axis=3).astype(np.float32)
    data = data[:, :, :, None] if fifth else data
    nib.save(nib.Nifti1Image(data, AFFINE), path)
    return path


def level(value):
    """A frame of one value but for its first plane, which is 0."""
    frame = np.full((8, 8, 8), value, np.float32)
    frame[0] = 0
    return frame


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.nii.bz2", "a.mgz"])
@pytest.mark.parametrize("seed", range(3))
def test_mean_of_random_frames_by_duration(tmp_path, name, seed):
    """Against the sum over frames, whatever the file and the window."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(2, 9))
    durations = rng.choice([30.0, 60.0, 300.0, 600.0], count)
    starts = 2000 + np.cumsum(durations) - durations
    frames = rng.normal(1, 1, (count, 8, 9, 10))
    path = tmp_path / name
    if path.suffix == ".mgz":
        data = np.moveaxis(frames, 0, 3).astype(np.float32)
        nib.save(nib.MGHImage(data, AFFINE), path)
    else:
        series(path, frames, fifth=seed == 1)
    timing = FrameTiming(tuple(starts), tuple(durations))
    middles = starts + durations / 2
    window = (float(middles[0]), float(rng.choice(middles)) + 1)
    for chosen in (None, window):
        volume = load_volume(
            [path], reading=Reading(window=chosen), timing=timing
        )
        use = middles <= (chosen or (0, np.inf))[1]
        expected = np.average(frames[use], axis=0, weights=durations[use])
        np.testing.assert_allclose(volume.data, expected, atol=1e-5)
        assert volume.frames == use.sum()


def test_a_window_by_hand(tmp_path):
    frames = [level(value) for value in (90, 80, 70, 1, 2, 6)]
    path = series(tmp_path / "a.nii", frames)
    late = Reading(window=(2400, 3600))
    volume = load_volume([path], reading=late, timing=HOUR)
    np.testing.assert_array_equal(volume.data, level(4))
    assert (volume.frames, volume.flags) == (2, frozenset())
    whole = load_volume([path], timing=HOUR)
    mean = (90 * 60 + 80 * 540 + 70 * 1200 + 600 * (1 + 2 + 6)) / 3600
    np.testing.assert_allclose(whole.data, level(mean), rtol=1e-6)
    assert whole.flags == examine([path], timing=HOUR).flags == {EARLY}


def test_a_frame_counts_if_its_middle_is_in_the_window():
    for window, used in (
        ((1795, 3605), [3, 4, 5]),
        ((1805, 3595), [3, 4, 5]),
        ((2099, 2101), [3]),
        ((2101, 3301), [4, 5]),
    ):
        weights, _ = weigh_frames(6, HOUR, window)
        assert np.flatnonzero(weights).tolist() == used


def test_durations_that_differ_count_by_their_length():
    weights, flags = weigh_frames(
        3, FrameTiming((1800, 2100, 2700), (300, 600, 900))
    )
    np.testing.assert_allclose(weights, [1 / 3, 2 / 3, 1])
    assert flags == frozenset()


@pytest.mark.parametrize(
    ("count", "timing", "window", "flags"),
    [
        (1, None, None, ()),
        (6, None, None, ()),
        (7, None, None, (UNTIMED,)),
        (6, HOUR, None, (EARLY,)),
        (6, HOUR, (1800, 3600), ()),
        (6, HOUR, (2400, 5400), (PARTIAL,)),
        (6, HOUR, (2700, 3600), (OUTSIDE,)),
        (6, HOUR, (2450, 3550), ()),  # 100 s of 1200 s
        (6, HOUR, (2450, 3500), (OUTSIDE,)),  # 150 s
        (6, HOUR, (2000, 2200), (OUTSIDE,)),
        (6, HOUR, (0, 600), (EARLY,)),
        (6, HOUR, (1100, 3600), (EARLY, OUTSIDE)),
        (1, FrameTiming((0,), (5400,)), (2400, 3600), (EARLY, OUTSIDE)),
        (1, FrameTiming((2400,), (1200,)), (2400, 3600), ()),
        # a mean with the times of the series it was made from
        (1, HOUR, None, ()),
        (2, FrameTiming((1790, 2100), (300, 300)), None, ()),
        # times that count from the start of the series tell nothing of it
        (2, FrameTiming((0, 300), (300, 300), True), None, ()),
    ],
)
def test_what_to_know_of_the_frames(count, timing, window, flags):
    weights, found = weigh_frames(count, timing, window)
    assert found == frozenset(flags)
    assert weights.shape == (count,)
    assert weights.max() == 1


@pytest.mark.parametrize(
    ("count", "timing", "window", "words"),
    [
        (6, None, (2400, 3600), "no times of the frames, which --window needs"),
        (1, None, (2400, 3600), "no times of the frames"),
        (5, HOUR, None, "differ in number: 5 frames, 6 starts, 6 durations"),
        (1, HOUR, (2400, 3600), "differ in number: 1 frames"),
        (2, FrameTiming((0, 60), (60,)), None, "2 starts, 1 durations"),
        (2, FrameTiming((0, 9), (9, 9), True), (0, 18), "time of injection is"),
        (6, HOUR, (4000, 5000), "they last from 0 to 3600 s, expected some"),
        (2, FrameTiming((0, 60), (60, 0)), None, "that are none"),
        (2, FrameTiming((0, np.nan), (60, 60)), None, "that are none"),
        # durations in ms beside starts in s
        (2, FrameTiming((0, 60), (6e4, 6e4)), None, "contradict each other"),
    ],
)
def test_times_that_do_not_suit(tmp_path, count, timing, window, words):
    with pytest.raises(VolumeError, match=words):
        weigh_frames(count, timing, window)
    path = series(tmp_path / "a.nii", np.ones((count, 8, 8, 8)))
    reading = Reading(window=window)
    assert words in examine([path], reading=reading, timing=timing).reason


def test_frames_of_several_files_have_one_list_of_times(tmp_path):
    paths = [series(tmp_path / f"{n}.nii", [level(n)]) for n in (1, 4)]
    timing = FrameTiming((1800, 2100), (300, 600))
    volume = load_volume(paths, timing=timing)
    np.testing.assert_allclose(volume.data, level(3), rtol=1e-6)
    one = load_volume(paths, reading=Reading(window=(0, 2000)), timing=timing)
    np.testing.assert_array_equal(one.data, level(1))


@pytest.mark.parametrize("number", [1, 3, 6])
@pytest.mark.parametrize(
    ("value", "words"),
    [
        (np.nan, "no finite voxel: all NaN or Inf in frame {number}$"),
        (-np.inf, "no finite voxel: all NaN or Inf in frame {number}$"),
        (0, "a constant frame: all voxels of frame {number} are 0; repair"),
        (7, "a constant frame: all voxels of frame {number} are 7; repair"),
    ],
)
def test_a_frame_without_content_is_named(tmp_path, number, value, words):
    frames = np.random.default_rng(0).random((6, 8, 8, 8))
    frames[number - 1] = value
    frames[:, :4] = np.nan  # background, as SPM writes it
    words = words.format(number=number)
    series(tmp_path / "a.nii.gz", frames)
    parts = [series(tmp_path / f"{n}.nii", [frames[n]]) for n in range(6)]
    for paths in ([tmp_path / "a.nii.gz"], parts):
        if value == 0 and number == 1:  # before the tracer arrives
            assert load_volume(paths).frames == 6
            continue
        with pytest.raises(VolumeError, match=f"^{words}"):
            load_volume(paths)
    # a frame that is not used may hold anything
    late = Reading(window=(2400, 3600))
    if number == 1:
        assert load_volume(parts, reading=late, timing=HOUR).frames == 2
