"""A small study's summary, as `summarise` would give it."""

from pet_dcgan.study.settings import ARMS
from pet_dcgan.study.statistics import METRICS


def make_summary(*, low=-0.1, high=0.2, complete=True, **changes):
    """Two fractions, four arms; `low` and `high` are of every difference."""
    ends = {"low": low, "high": high, "seeds": 2}
    if low is None:
        ends["reason"] = "an interval needs 8 or more held-out subjects"
    rows = [
        {"fraction": f, "arm": arm, "metric": metric}
        for f in (25, 100)
        for arm in ARMS
        for metric in METRICS
    ]
    return {
        "phantom": True,
        "complete": complete,
        "done": 16 if complete else 7,
        "of": 16,
        "classes": ["NC", "AD"],
        "judged": {"NC": 4, "AD": 5},
        "training_subjects": {
            "25": {"NC": 1, "AD": 1},
            "100": {"NC": 4, "AD": 4},
        },
        "arms": [r | {"mean": 0.8, "low": 0.6, "high": 0.9} for r in rows],
        "differences": [
            r | {"mean": 0.05} | ends for r in rows if r["arm"] != "real"
        ],
        "kept_signal": [
            {"fraction": 25, "share": 0.81},
            {"fraction": 100, "share": None},
        ],
        "results": [
            {"fraction": f, "arm": arm, **dict.fromkeys(METRICS, 0.7)}
            for f in (25, 100)
            for arm in ARMS
        ],
        "settings": {
            "fractions": [25, 100],
            "planes": ["axial"],
            "seeds": 2,
            "shuffle_labels": False,
        },
        **changes,
    }
