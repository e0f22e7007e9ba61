"""Whatever `metrics.json` holds: its readers can use it, or it is refused."""

import copy
import json
import random
import shutil

import pytest
from test_model_info import FACTS
from toy_conditional_metrics import conditional_metrics
from toy_volume_metrics import volume_metrics

from pet_dcgan.evaluation.assessment import assessment_lines, next_step
from pet_dcgan.evaluation.evaluate import Evaluation
from pet_dcgan.evaluation.report import metric_rows
from pet_dcgan.runs.metrics_shape import require_metrics
from pet_dcgan.runs.run import Run
from pet_dcgan.serving.model_card import has_copies, model_card
from pet_dcgan.utils.checksums import SUMS

REPLACEMENTS = (
    *(None, True, 3, -1, 0.5, 10**400, 1e308, 2**60, "x", "\x1b[2J", "\ud800"),
    *([], [1], [1, 2], ["a", "b"], [[1, 2, 3]]),
    *({}, {"value": 1}, {"mean": "x"}, {"interval": [1]}, {"a\nb": 1}),
)


def places(value):
    """Every object or list in a value, with each of its keys."""
    if isinstance(value, (dict, list)):
        keys = value if isinstance(value, dict) else range(len(value))
        for key in keys:
            yield value, key
            yield from places(value[key])


def use(metrics):
    """All that reads the metrics of a run from its file."""
    Evaluation(metrics)._repr_html_()
    metric_rows({"AD": metrics})
    assert all(line.isprintable() for line in assessment_lines(metrics))
    next_step(metrics, "run")
    found = metrics | {"evaluated": True}
    json.dumps(found, allow_nan=False)
    has_copies(found)
    card = model_card(
        FACTS, version="1", subjects=3, slices=None, metrics=found
    )
    card.encode()


def used_or_refused(metrics):
    try:
        require_metrics(metrics, source="FILE")
    except ValueError as error:
        line = str(error)
    else:
        use(metrics)
        return "used"
    assert line.isprintable()
    assert "FILE" in line
    assert len(line) < 500
    return "refused"


@pytest.fixture(params=["one stage", "conditional", "volume", "AD volume"])
def metrics(request, evaluated):
    if request.param == "conditional":
        return conditional_metrics(evaluated[1])
    if "volume" in request.param:
        every = request.param == "volume"
        return volume_metrics(evaluated[1], conditional=every)
    return json.loads(json.dumps(evaluated[1]))


@pytest.fixture
def of_one_stage(evaluated):
    return json.loads(json.dumps(evaluated[1]))


def test_what_evaluate_writes_is_used(metrics):
    assert used_or_refused(metrics) == "used"


def test_any_other_value_anywhere_is_used_or_refused(metrics):
    rng, found = random.Random(6), []
    chosen = rng.sample(list(places(metrics)), 250)
    for holder, key in chosen:
        whole = holder[key]
        holder[key] = rng.choice(REPLACEMENTS)
        found.append(used_or_refused(metrics))
        holder[key] = whole
    assert set(found) == {"used", "refused"}


def test_any_missing_name_is_used_or_refused(metrics):
    rng = random.Random(7)
    named = [p for p in places(metrics) if isinstance(p[0], dict)]
    for holder, key in [*named[:30], *rng.sample(named, 100)]:
        whole = holder.pop(key)
        used_or_refused(metrics)
        holder[key] = whole


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        ("copies.certain", None, "copies.certain"),
        ("intervals.level", "95 %", "intervals.level"),
        ("psnr.real.nearest.interval", [1.0], "psnr.real.nearest.interval"),
        ("assessment.sign", "fine", "assessment.sign"),
        ("assessment.headline", "\x1b[2J", "assessment.headline"),
        ("figures", [[[[[[]]]]]] * 2, None),
        ("figures", 10**400, "figures"),
    ],
)
def test_the_place_is_named(of_one_stage, path, value, place):
    *names, last = path.split(".")
    holder = of_one_stage
    for name in names:
        holder = holder[name]
    holder[last] = value
    if place is None:
        require_metrics(of_one_stage, source="FILE")
        return
    with pytest.raises(ValueError, match=f"something else for {place}$"):
        require_metrics(of_one_stage, source="FILE")


def test_brackets_within_brackets_are_refused(of_one_stage):
    value = []
    for _ in range(500):
        value = [copy.copy(value)]
    with pytest.raises(ValueError, match="something else for figures"):
        require_metrics(of_one_stage | {"figures": value}, source="FILE")


def test_one_wrong_byte_is_found(evaluated, tmp_path):
    """Each of them: a digit is still a digit, but not the one written."""
    shutil.copytree(evaluated[0].path, tmp_path / "run")
    run = Run.open(tmp_path / "run")
    path = run.evaluation / "metrics.json"
    whole, rng = path.read_bytes(), random.Random(8)
    for place in rng.sample(range(len(whole)), 200):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << rng.randrange(8)
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match="run pet-dcgan evaluate") as error:
            run.metrics()
        assert str(error.value).isprintable()
    path.write_bytes(whole)
    assert run.metrics() == json.loads(whole)
    (run.evaluation / SUMS).write_bytes(b"\xff")
    with pytest.raises(ValueError, match=f"{SUMS}.*run pet-dcgan evaluate"):
        run.metrics()
