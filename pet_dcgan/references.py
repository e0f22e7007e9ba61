"""What an SUVR is a ratio to, in words for those who read it.

Only the kind of reference is stated: the name of a mask could reveal more than
may leave a machine.
"""

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
