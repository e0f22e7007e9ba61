"""What an SUVR is a ratio to, in words for those who read it, and its recipe.

Only the kind of reference is stated: the name of a mask could reveal more than
may leave a machine.
"""

# How the brain and its mean are found: the first number of a data set's
# version. Slices of two recipes differ in scale and place by some percent and
# millimetres, which a generator draws and a classifier can read.
RECIPE = 2

REFERENCES = {
    "brain": "mean-scaled: each volume is divided by the mean of its own "
    "brain, so that less uptake in one region makes all others brighter",
    "mask": "each volume is divided by its mean inside a mask that was given",
    "none": "as supplied: volumes were not scaled",
}
# for axes
SUVR_LABELS = {
    "brain": "mean-scaled SUVR",
    "mask": "SUVR, over the mean inside a mask",
    "none": "SUVR as supplied",
}

# spaces that volumes lie in, by BIDS's names of templates
# (https://bids-specification.readthedocs.io, appendix on coordinate systems);
# `native` is a brain about its own centre
NATIVE = "native"
SPACES = (
    NATIVE,
    *("MNI152NLin2009aAsym", "MNI152NLin2009aSym", "MNI152NLin2009bAsym"),
    *("MNI152NLin2009bSym", "MNI152NLin2009cAsym", "MNI152NLin2009cSym"),
    *("MNI152NLin6Asym", "MNI152NLin6Sym", "MNI152Lin", "IXI549Space"),
)


class RecipeError(ValueError):
    """Something was made from slices of another recipe than today's."""


def require_recipe(found: int, what: str, *, remedy: str) -> None:
    """Refuses what another recipe made.

    Args:
        found: The recipe that made it.
        what: What it is and where.
        remedy: What to do about it.

    Raises:
        RecipeError: If it is not `RECIPE`.
    """
    if found != RECIPE:
        raise RecipeError(
            f"expected {what} made by recipe {RECIPE} for the brain's place "
            f"and scale, found recipe {found}: {remedy}"
        )
