"""What a conditional generator takes from slices: what each of them shows."""

from collections.abc import Sequence

import numpy as np

from pet_dcgan.conditions import Conditions
from pet_dcgan.config import CONDITIONS, PLANES, STAGES, VOLUME
from pet_dcgan.data.slices import Slices
from pet_dcgan.utils.plain_values import shown

_SEXES = ("F", "M")


def conditions_for(slices: Slices, names: Sequence[str]) -> Conditions:
    """The conditions of a generator that is trained on some slices.

    Args:
        slices: The training slices, of all stages; of one plane, or of all.
        names: Some of `pet_dcgan.config.CONDITIONS`, `"stage"` among them.

    Returns:
        Conditions whose bands hold every position that slices of the set may
        have, and whose ages are those of the slices, to whole years.

    Raises:
        ValueError: If a name is unknown, given twice, or stage is missing; if
            there is no slice of a stage, several planes that no condition
            tells apart, or nobody's age or sex is known.
    """
    _require_names(names)
    _require_stages(slices)
    planes = [p for p in (*PLANES, VOLUME) if p in slices.planes]
    if len(planes) > 1 and "plane" not in names:
        raise ValueError(
            f"expected plane among the conditions of {', '.join(planes)} "
            f"slices, found {', '.join(names)}: add plane to --conditions, or "
            f"choose one with --plane {planes[0]}"
        )
    _require_known(slices, names)
    ages = None
    if "age" in names:
        # an export shows them: whole years are nobody's, and can be asked for
        youngest, oldest = np.nanmin(slices.ages), np.nanmax(slices.ages)
        ages = float(np.floor(youngest)), float(np.ceil(oldest))
    return Conditions(
        names=tuple(names),
        stages=STAGES,
        bands_mm={plane: _band_mm(slices, plane) for plane in planes},
        ages=ages,
    )


def condition_arrays(
    slices: Slices, conditions: Conditions
) -> dict[str, np.ndarray]:
    """What each slice shows, as a conditional network takes it.

    Args:
        slices: Of any of the stages and planes.
        conditions: Those of the network.

    Returns:
        float32 `[n, width]` by name, as `conditions.inputs` has them.
    """
    columns = {
        "stage": slices.stages[:, np.newaxis] == np.array(STAGES),
        "plane": slices.planes[:, np.newaxis] == np.array(PLANES),
        "position_mm": slices.positions_mm[:, np.newaxis],
        "age": slices.ages[:, np.newaxis],
        "sex": np.select(
            [slices.sexes == sex for sex in _SEXES], [0.0, 1.0], np.nan
        )[:, np.newaxis],
    }
    return {
        name: np.ascontiguousarray(columns[name], np.float32)
        for name in conditions.inputs
    }


def slice_gap_mm(slices: Slices) -> float:
    """Distance of neighbouring slices of a scan in mm: that of two pixels.

    Args:
        slices: Of a prepared set.
    """
    return slices.meta.spacing_mm


def _require_names(names: Sequence[str]) -> None:
    """Refuses what are no conditions."""
    known = set(names) <= set(CONDITIONS) and len(set(names)) == len(names)
    if not known or "stage" not in names:
        raise ValueError(
            f"expected conditions among {', '.join(CONDITIONS)}, each once and "
            f"stage among them, found {shown(', '.join(names))}: write "
            "--conditions stage,plane,position"
        )


def _require_stages(slices: Slices) -> None:
    """Refuses slices that lack a stage."""
    absent = [stage for stage in STAGES if stage not in slices.stages]
    if absent:
        raise ValueError(
            f"expected training slices of {', '.join(STAGES)}, found none of "
            f"{', '.join(absent)} in {slices.meta.dataset}: prepare scans of "
            "every stage, or train a generator of one with --stage"
        )


def _require_known(slices: Slices, names: Sequence[str]) -> None:
    """Refuses age or sex as a condition where nobody's is known."""
    known = {
        "age": np.isfinite(slices.ages).any(),
        "sex": np.isin(slices.sexes, _SEXES).any(),
    }
    for name, some in known.items():
        if name in names and not some:
            raise ValueError(
                f"expected the {name} of some subject of "
                f"{slices.meta.dataset}, found none: leave out {name}, or "
                "prepare the scans again with tables that have it"
            )


def _band_mm(slices: Slices, plane: str) -> tuple[float, float]:
    """First and last position that slices of a plane may have."""
    found = slices.positions_mm[slices.planes == plane]
    lowest, highest = float(found.min()), float(found.max())
    if plane == VOLUME:
        return 0.0, 0.0
    if plane not in slices.meta.bands_mm:
        return lowest, highest
    # cut at whole pixels, up to half of one from where the band says; the
    # band's own end is excluded
    low, high = slices.meta.bands_mm[plane]
    half = slice_gap_mm(slices) / 2
    return min(low - half, lowest), max(high - half, highest)
