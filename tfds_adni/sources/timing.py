"""The times of a scan's frames."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class FrameTiming:
    """When the frames of a scan were acquired.

    Attributes:
        starts: Seconds after injection (BIDS: after time zero) at which each
            frame starts.
        durations: Seconds that each frame lasts.
    """

    starts: tuple[float, ...]
    durations: tuple[float, ...]
