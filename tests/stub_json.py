"""JSON of tensorflow_model_server to arrays and back, for the stub in tests.

The rules are those of tensorflow_serving/util/json_tensor.cc.
"""

import base64
import math

import numpy as np
from stub_models import DTYPES, Refused

_FLOAT_MAX = float(np.finfo(np.float32).max)
_WHOLE_MAX = 2**24 - 1


def inputs_of(body, definition):
    """Arrays of a request, and whether it came in row form."""
    given = [key for key in ("instances", "inputs") if key in body]
    if len(given) > 1:
        raise Refused(
            400,
            "Not formatted correctly expecting only one of 'inputs' or "
            "'instances' keys to exist",
        )
    if not given:
        raise Refused(400, "Missing 'inputs' or 'instances' key")
    types = {
        name: entry["dtype"] for name, entry in definition["inputs"].items()
    }
    if given == ["instances"]:
        return _rows(body["instances"], types), True
    return _columns(body["inputs"], types), False


def answer_of(outputs, *, row_form):
    """The answer to a request as what `json` writes."""
    columns = {name: _plain(name, value) for name, value in outputs.items()}
    if not row_form:
        only = len(columns) == 1
        return {"outputs": columns.popitem()[1] if only else columns}
    if len(columns) == 1:
        return {"predictions": columns.popitem()[1]}
    rows = zip(*columns.values(), strict=True)
    return {
        "predictions": [dict(zip(columns, row, strict=True)) for row in rows]
    }


def _rows(instances, types):
    if not isinstance(instances, list):
        raise Refused(400, "Excepting 'instances' to be an list/array")
    if not instances:
        raise Refused(400, "No values in 'instances' array")
    named = isinstance(instances[0], dict)
    if any(isinstance(one, dict) != named for one in instances):
        raise Refused(400, "Expecting object but got list in input list")
    if not named:
        if len(types) > 1:
            raise Refused(400, "instances is a plain list, but expecting list")
        instances = [{next(iter(types)): one} for one in instances]
    for one in instances:
        if set(one) != set(types):
            keys = ",".join(sorted(types))
            raise Refused(400, f"JSON object: keys must be equal to: {keys}")
    return {
        name: _array([one[name] for one in instances], dtype)
        for name, dtype in types.items()
    }


def _columns(inputs, types):
    if not isinstance(inputs, dict):
        if len(types) > 1:
            raise Refused(400, "inputs is a plain value/list, but expecting")
        inputs = {next(iter(types)): inputs}
    for name in types:
        if name not in inputs:
            raise Refused(400, f"Missing named input: {name} in 'inputs'")
    return {name: _array(inputs[name], types[name]) for name in types}


def _array(values, dtype):
    shape = _shape(values)
    return np.array(
        _checked(values, shape, dtype), dtype=DTYPES[dtype]
    ).reshape(shape)


def _shape(values):
    if not isinstance(values, list):
        return ()
    return (len(values), *(_shape(values[0]) if values else ()))


def _checked(values, shape, dtype):
    if isinstance(values, list):
        if not shape or len(values) != shape[0]:
            raise Refused(
                400, f"Encountered list at unexpected size: {len(values)}"
            )
        return [_checked(one, shape[1:], dtype) for one in values]
    if shape:
        raise Refused(400, f"JSON Value: {values} found at incorrect level")
    number = isinstance(values, int | float) and not isinstance(values, bool)
    if dtype == "DT_INT64":
        fits = type(values) is int and -(2**63) <= values < 2**63
    else:
        fits = number
    if not fits:
        raise Refused(
            400, f"JSON Value: {values!r} is not of expected type: {dtype}"
        )
    if dtype == "DT_FLOAT" and not _fits_float(values):
        raise Refused(
            400,
            f"Cannot convert JSON value: {values} to float without loss of "
            "precision.",
        )
    return values


def _fits_float(value):
    if isinstance(value, int):
        return abs(value) <= _WHOLE_MAX
    return not math.isfinite(value) or abs(value) <= _FLOAT_MAX


def _plain(name, value):
    if value.dtype == object:
        return _strings(name, value.tolist())
    if value.dtype == np.float32:
        # nine significant digits carry a float32 there and back
        return _nine_digits(value.tolist())
    return value.tolist()


def _strings(name, value):
    if isinstance(value, list):
        return [_strings(name, one) for one in value]
    if name.endswith("_bytes"):
        return {"b64": base64.b64encode(value).decode()}
    return value.decode("utf-8", "replace")


def _nine_digits(value):
    if isinstance(value, list):
        return [_nine_digits(one) for one in value]
    return float(f"{value:.9g}")
