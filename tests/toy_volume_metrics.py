"""The numbers of a run of volumes, made up around those of another."""

import json

from toy_conditional_metrics import conditional_metrics


def _number(value):
    return {"value": value, "interval": [value - 0.1, value + 0.1]}


def _both(value):
    return {"synthetic": _number(value), "real": {"value": value + 0.01}}


def _means(value):
    return {kind: {"mean": value, "n": 9} | _number(value) for kind in _KINDS}


_KINDS = ("synthetic", "real")
_STAGE = {
    "images": 64,
    "missing": None,
    "subjects": {"training": 6, "held_out": 18},
    "diversity": _means(0.1) | {"ratio": _number(0.9)},
    "roughness": {
        "ratio": _number(1.1),
        "axes_ratio": {axis: _number(0.7) for axis in "xyz"},
        "axes": {axis: _both(0.08) for axis in "xyz"},
    },
    "regions": {
        "error": _both(0.05),
        "covariance": _both(0.7),
        "correlation": _both(0.8),
        "spread": _number(0.9),
        "mean": {kind: {"left insula": _number(1.1)} for kind in _KINDS},
        "difference": {"left insula": _number(-0.02)},
    },
    "intensity": {"wasserstein": _both(0.01)},
}


def volume_metrics(metrics, *, conditional=True):
    """`metrics.json` of a run of volumes, for those who read it."""
    whole = conditional_metrics(metrics)
    plane = whole["planes"]["axial"]
    found = {
        "atlas": "spheres",
        "latents": 64,
        "stages": {
            "NC": _STAGE,
            "MCI": _STAGE | {"missing": "nobody"},
            "AD": _STAGE,
        },
        "features": {"trained": metrics["features"]["trained"]},
    }
    if conditional:
        found |= {n: plane[n] for n in ("stage", "identity", "contrast")}
    else:
        del whole["conditions"]
    volumes = {"volume": found}
    whole |= {"volume": True, "conditional": conditional, "planes": volumes}
    whole |= {"space": "native", "plane": "volume"}
    return json.loads(json.dumps(whole))
