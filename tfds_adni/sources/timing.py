"""The times of a scan's frames."""

import dataclasses

# Of one scan; a frame for each second of half an hour.
MOST_FRAMES = 2000
_MOST_SECONDS = 1e9


@dataclasses.dataclass(frozen=True)
class FrameTiming:
    """When the frames of a scan were acquired.

    Attributes:
        starts: Seconds after injection (BIDS: after time zero) at which each
            frame starts.
        durations: Seconds that each frame lasts.
        relative: Whether the starts count from that of the series instead,
            since the time of injection is not known.
    """

    starts: tuple[float, ...]
    durations: tuple[float, ...]
    relative: bool = False


def are_times(values: object) -> bool:
    """Whether a value of a JSON file is a list of times, at least one.

    Args:
        values: Anything; times are numbers of seconds below 1e9 (32 years),
            at most 2,000 of them.
    """
    return (
        isinstance(values, list)
        and 0 < len(values) <= MOST_FRAMES
        and all(
            # no comparison with NaN holds, nor a float of thousands of digits
            type(value) in (int, float)
            and -_MOST_SECONDS < value < _MOST_SECONDS
            for value in values
        )
    )
