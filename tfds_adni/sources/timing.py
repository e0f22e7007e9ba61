"""The times of a scan's frames."""

import dataclasses


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
