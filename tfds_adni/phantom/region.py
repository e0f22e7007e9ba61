"""What a region of the phantom is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Region:
    """One bilateral region of the phantom.

    Args:
        name: What it is called.
        row: Its row of `PUBLISHED`; parts of one row may share it.
        tissue: "cortex" shares the grey-matter map with its neighbours;
            "grey" claims the grey matter inside its shape; "solid" fills its
            shape whatever the maps say (they are weak in the deep nuclei).
        network: Regions of a network vary together.
        loss: Mean loss in per cent for MCI and AD.
        of_row: Uptake over the row's mean; the parts of a row average to it.
        blobs: `((x, y, z), (rx, ry, rz))` in mm, MNI, right side (x >= 0).
    """

    name: str
    row: str
    tissue: str
    network: str
    loss: tuple[float, float]
    of_row: float
    blobs: tuple[tuple[tuple[float, ...], tuple[float, ...]], ...]


def make_region(
    name, tissue, network, loss, *blobs, row=None, of_row=1.0
) -> Region:
    """A region whose blobs are written as `(x, y, z, rx, ry, rz)`.

    Args:
        name: Of the region.
        tissue: Of `Region`.
        network: Of `Region`.
        loss: Of `Region`.
        *blobs: `(x, y, z, rx, ry, rz)`: centre and radii in mm.
        row: Of the table of published uptake; by name if unset.
        of_row: Share of that row's uptake.
    """
    pairs = tuple((blob[:3], blob[3:]) for blob in blobs)
    return Region(name, row or name, tissue, network, loss, of_row, pairs)
