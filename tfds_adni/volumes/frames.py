"""Which frames of a scan are averaged, and how much each one counts.

Frames whose times are known count by their durations, so that the mean is that
of one long frame: PET frames are rates, in Bq/mL or counts per second, and
those of a series last from seconds to many minutes. A window takes the frames
whose middle lies within it, so that starts and ends that are off by seconds
change nothing. Frames whose times are not known count alike.
"""

import numpy as np

from tfds_adni.sources.timing import FrameTiming
from tfds_adni.volumes.orientation import VolumeError

# Flags, as in `orientation`.
EARLY = "early_frames_averaged"
UNTIMED = "long_series_without_times"
PARTIAL = "window_covered_in_part"
OUTSIDE = "frames_exceed_window"

# FDG is read from 30 min after injection (EANM guideline of 2009 for brain
# imaging with FDG, Varrone et al.); some scans start a little earlier.
_EARLY_SECONDS = 25 * 60
# ADNI's late series have 4 or 6 frames; a series from injection has more.
_MOST_LATE_FRAMES = 6
_MIN_COVERED = 0.9
# Of the time of the frames used; the rest lies within the window.
_MAX_OUTSIDE = 0.1
# Frames may overlap by this share of one of them, for rounded times.
_MAX_OVERLAP = 0.05


def weigh_frames(
    count: int,
    timing: FrameTiming | None = None,
    window: tuple[float, float] | None = None,
) -> tuple[np.ndarray, frozenset[str]]:
    """Decides how much each frame of a scan counts in its mean.

    Args:
        count: Number of its frames, at least 1.
        timing: Their times, `None` where unknown.
        window: As in `Reading`.

    Returns:
        `(count,)` weights in [0, 1], the largest is 1, a frame that is left
        out has 0; and what to know of the scan, constants of this module.

    Raises:
        VolumeError: If the times are needed and unknown or impossible, or no
            frame lies within the window.
    """
    if count == 1 and not window:
        return np.ones(1), frozenset()
    if timing is None:
        if window:
            raise VolumeError(
                "no times of the frames, which --window needs: FrameTimesStart "
                "and FrameDuration; add them, or leave out --window"
            )
        untimed = [UNTIMED] if count > _MOST_LATE_FRAMES else []
        return np.ones(count), frozenset(untimed)
    if window and timing.relative:
        raise VolumeError(
            "the time of injection is not known, which --window counts from: "
            "the times of its frames are those after the start of the series; "
            "leave out --window"
        )
    starts, durations = _checked(count, timing)
    flags = set()
    if window:
        inside, flags = _inside(starts, durations, window)
        durations = durations * inside
    if not timing.relative and min(starts[durations > 0]) < _EARLY_SECONDS:
        flags.add(EARLY)
    return durations / max(durations), frozenset(flags)


def _checked(count: int, timing: FrameTiming) -> tuple[np.ndarray, np.ndarray]:
    """Returns starts and durations, in seconds, if they are possible."""
    starts = np.array(timing.starts, float)
    durations = np.array(timing.durations, float)
    if not len(starts) == len(durations) == count:
        raise VolumeError(
            f"frames and their times differ in number: {count} frames, "
            f"{len(starts)} starts, {len(durations)} durations"
        )
    if not np.all(np.isfinite([starts, durations])) or min(durations) <= 0:
        raise VolumeError("times of the frames that are none: not above zero")
    order = np.argsort(starts, kind="stable")
    ends = (starts + durations)[order]
    overlap = ends[:-1] - starts[order][1:]
    if np.any(overlap > _MAX_OVERLAP * durations[order][:-1]):
        worst = float(max(overlap))
        raise VolumeError(
            f"times of the frames contradict each other: one lasts {worst:.6g} "
            "s into the next; expected seconds in start and duration"
        )
    return starts, durations


def _inside(
    starts: np.ndarray, durations: np.ndarray, window: tuple[float, float]
) -> tuple[np.ndarray, set[str]]:
    """Returns which frames lie within a window, and flags."""
    first, last = window
    ends, middles = starts + durations, starts + durations / 2
    inside = (middles >= first) & (middles <= last)
    if not any(inside):
        raise VolumeError(
            f"no frame within --window: they last from {min(starts):.6g} to "
            f"{max(ends):.6g} s, expected some from {first:.6g} to {last:.6g} s"
        )
    covered = np.minimum(ends, last) - np.maximum(starts, first)
    within, used = covered[inside].sum(), durations[inside].sum()
    flags = set()
    if within < _MIN_COVERED * (last - first):
        flags.add(PARTIAL)
    if used - within > _MAX_OUTSIDE * used:
        flags.add(OUTSIDE)
    return inside, flags
