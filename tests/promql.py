"""Whether a query of Prometheus can have an answer from the model server."""

import promql_parser as ql

# Labels by metric: tensorflow_serving/servables/tensorflow/util.cc, named as
# util/prometheus_exporter.cc does; `up` is Prometheus's own of each target.
METRICS = {
    ":tensorflow:serving:request_count": {"model_name", "status"},
    ":tensorflow:serving:request_latency_bucket": {
        *("model_name", "API", "entrypoint", "status", "le")
    },
    ":tensorflow:serving:runtime_latency_bucket": {
        *("model_name", "API", "runtime", "le")
    },
    "up": {"job", "instance"},
}
GAUGES = {"up"}


def labels(query):
    """Labels of the series that a query gives.

    Raises:
        ValueError: It is no PromQL, or asks for a metric or a label that there
            is not, a counter's value instead of its rate, a quantile without
            buckets, or an operation on series that never match.
    """
    return _labels(ql.parse(query))


def _labels(node):
    """None for a number."""
    for kind, read in _READERS.items():
        if isinstance(node, kind):
            return read(node)
    raise ValueError(f"not known here: {node.prettify()}")


def _selector(node, within_rate=False):
    if node.name not in METRICS:
        raise ValueError(f"there is no metric {node.name}")
    known = METRICS[node.name]
    for matcher in node.matchers.matchers:
        _within({matcher.name}, known, node.name)
    if within_rate == (node.name in GAUGES):
        raise ValueError(f"rates are for counters alone: {node.name}")
    return known


def _call(node):
    name, *arguments = node.func.name, *node.args
    if name == "rate":
        return _selector(arguments[0].vector_selector, within_rate=True)
    if name == "absent":
        given = arguments[0].matchers.matchers
        _labels(arguments[0])
        return {one.name for one in given if one.op == ql.MatchOp.Equal}
    if name == "histogram_quantile":
        quantile, buckets = arguments
        if not 0 < quantile.val < 1:
            raise ValueError(f"no quantile: {quantile.val}")
        _within({"le"}, found := _labels(buckets), "the buckets")
        return found - {"le"}
    raise ValueError(f"not known here: {name}")


def _aggregate(node):
    known = _labels(node.expr)
    if node.modifier is None:
        return set()
    if node.modifier.type != ql.AggModifierType.By:
        raise ValueError("not known here: without")
    asked = set(node.modifier.labels)
    _within(asked, known, node.expr.prettify())
    return asked


def _binary(node):
    sides = [_labels(node.lhs), _labels(node.rhs)]
    vectors = [side for side in sides if side is not None]
    if not vectors:
        return None
    if str(node.op) != "or" and vectors[0] != vectors[-1]:
        raise ValueError(f"labels that never match: {node.prettify()}")
    return vectors[0] & vectors[-1]


def _within(asked, known, place):
    if not asked <= known:
        missing = ", ".join(sorted(asked - known))
        raise ValueError(f"{place} has no label {missing}")


_READERS = {
    ql.NumberLiteral: lambda node: None,
    ql.ParenExpr: lambda node: _labels(node.expr),
    ql.VectorSelector: _selector,
    ql.Call: _call,
    ql.AggregateExpr: _aggregate,
    ql.BinaryExpr: _binary,
}
