"""The numbers of a conditional run, made up around those of another."""

import json

_PARTS = ("copies", "membership", "images", "subjects", "intervals")
_FACTS = ("phantom", "preset", "training", "seed", "size", "spacing_mm")


def _number(value):
    return {"value": value, "interval": [value - 0.1, value + 0.1]}


def _both(value):
    return {"synthetic": _number(value), "real": _number(value + 0.01)}


def _stage(features, *, beside):
    found = {
        "images": 36,
        "missing": None,
        "subjects": {"training": 6, "held_out": 9},
        "features": features,
        "finest_detail": _both(0.01),
        "intensity": {"wasserstein": _both(0.02)},
        "uptake": {"synthetic": {"centre": _number(0.1)}, "real": None},
        "variety": {
            "missing": None,
            "subjects": 9,
            "ratio": _number(0.9),
            "distance": _both(0.2),
        },
    }
    return found | ({"beside": features} if beside else {})


def conditional_metrics(metrics):
    """`metrics.json` of a run with conditions, for those who read it."""
    features = {"trained": metrics["features"]["trained"]}
    stages = {
        "NC": _stage(features, beside=True),
        "MCI": {
            "images": 0,
            "missing": "nobody",
            "variety": {"missing": "nobody"},
        },
        "AD": _stage(features, beside=False),
    }
    answers = {s: dict.fromkeys(stages, 0.333333) for s in stages}
    plane = {
        "positions_mm": [0.0, 3.0],
        "latents": 64,
        "stages": stages,
        "position": {
            "missing": None,
            "error_mm": {"synthetic": _number(2.0), "real": None},
            "slope": {"synthetic": {"value": 0.9}, "real": None},
            "unrelated_mm": 11.0,
        },
        "stage": {
            "missing": None,
            "chance": 0.333333,
            "accuracy": _both(0.6),
            "confusion": {"synthetic": answers, "real": answers},
        },
        "identity": {
            "stages": ["NC", "AD"],
            "share": _number(1.0),
            "chance": 0.02,
            "own": {"value": 0.1},
            "other": {"value": 0.2},
        },
        "contrast": {
            "missing": None,
            "stages": ["NC", "AD"],
            "correlation": _both(0.5),
            "slope": _both(0.5),
            "share": 0.9,
            "halves": 0.4,
            "regions": {"centre": _both(-0.1)},
            "region_slope": {"value": 0.4},
            "region_correlation": {"value": 0.4},
        },
    }
    absent = plane | {
        "position": {"missing": "no condition"},
        "contrast": {"missing": "too few", "stages": ["NC", "AD"]},
    }
    found = {name: metrics[name] for name in (*_PARTS, *_FACTS)} | {
        "assessment": metrics["assessment"],
        "conditional": True,
        "conditions": {},
        "missing": {"stages": None},
        "planes": {"axial": plane, "coronal": absent},
        "stage": "ALL",
        "plane": "ALL",
    }
    return json.loads(json.dumps(found))
