"""How hard a phantom is: the numbers that make it easy or realistic."""

import dataclasses
import functools

from tfds_adni.phantom.parameters import read_numbers

REALISTIC = "realistic"
DIFFICULTIES = ("easy", REALISTIC)


@dataclasses.dataclass(frozen=True)
class Difficulty:
    """A column of `data/difficulty.csv`, which says units and sources.

    Args:
        name: "easy" or "realistic".
    """

    name: str
    nc_age: float
    mci_age: float
    ad_age: float
    nc_age_sd: float
    mci_age_sd: float
    ad_age_sd: float
    mci_severity: float
    ad_severity: float
    severity_sd: float
    regional_sd: float
    mci_negative_share: float
    ad_negative_share: float
    negative_spared_share: float
    negative_least: float
    preclinical_share: float
    preclinical_severity: float
    tilt_sd: float
    one_sided_share: float
    one_sided_tilt: float
    left_share: float
    mci_thinning_mm: float
    ad_thinning_mm: float
    own_thinning_mm: float
    own_region_thinning_mm: float
    thinning_mm_a_year: float
    mci_ventricle_mm: float
    ad_ventricle_mm: float
    own_ventricle_mm: float
    ventricle_skew: float
    ventricle_mm_a_year: float
    atrophy_correlation: float
    field_sd: float
    age_effect: float
    nc_a_year: float
    mci_a_year: float
    ad_a_year: float
    a_year_sd: float
    own_scanners: float
    resolution_sd: float
    noise_sd: float
    model_gain_sd: float
    scan_gain_sd: float
    turn_deg: float
    shift_mm: float
    scale_sd: float

    def of(self, stage: str, what: str) -> float:
        """Returns one of the numbers that each stage has its own of.

        Args:
            stage: "NC", "MCI" or "AD".
            what: Such as "severity" for `mci_severity`.
        """
        return getattr(self, f"{stage.lower()}_{what}")


@functools.cache
def load_difficulty(name: str = REALISTIC) -> Difficulty:
    """Reads a column of `data/difficulty.csv`.

    Args:
        name: "easy" or "realistic".

    Raises:
        ValueError: If there is none of that name.
    """
    if name not in DIFFICULTIES:
        raise ValueError(
            f"expected a difficulty among {', '.join(DIFFICULTIES)}, found "
            f"{name!r}: name one of these"
        )
    return Difficulty(name, **read_numbers("difficulty.csv", name))
