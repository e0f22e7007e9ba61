import dataclasses
import json
import math

import numpy as np
import pytest

from pet_dcgan.models.model_info import ModelInfo
from pet_dcgan.utils.seed_blocks import MAX_ROWS

FACTS = ModelInfo(
    stage="AD",
    plane="axial",
    size=32,
    channels=1,
    latent_dim=6,
    spacing_mm=6.0,
    suvr_max=2.5,
    reference="brain",
    preset="demo",
    phantom=True,
    made_by="pet-dcgan 0.1.0",
)


@pytest.mark.parametrize(
    ("stage", "plane", "name"),
    [("NC", "axial", "nc"), ("AD", "coronal", "ad_coronal")],
)
def test_name_of_a_model(stage, plane, name):
    facts = dataclasses.replace(FACTS, stage=stage, plane=plane)
    assert facts.name == name


def test_facts_are_read_also_from_a_later_program(tmp_path):
    FACTS.write(tmp_path)
    assert ModelInfo.read(tmp_path) == FACTS
    path = tmp_path / "assets.extra" / "model.json"
    path.write_text(json.dumps(dataclasses.asdict(FACTS) | {"tracer": "x"}))
    assert ModelInfo.read(tmp_path) == FACTS


def test_the_limit_of_rows_is_part_of_the_facts():
    assert json.loads(FACTS.to_json())["max_rows"] == MAX_ROWS == 64
    few = dataclasses.replace(FACTS, max_rows=2)
    assert ModelInfo.from_json(few.to_json(), source="here") == few


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("size", bad) for bad in ("32", True, 0, -32, 7, 20_000, 10**30)),
        *(("size", bad) for bad in (32.5, None, [32], {"a": 1}, 10**400)),
        *(("max_rows", bad) for bad in (0, -4, 65, 200_000_000, 1.5, "4")),
        *(("suvr_max", bad) for bad in (None, 0, -1.0, 2e8, 1e308)),
        *(("spacing_mm", bad) for bad in (0, 5e-324, 1e300, -6, "6")),
        *(("channels", bad) for bad in (0, 2, 10**9)),
        *(("latent_dim", bad) for bad in (0, -1, 10**9)),
        *(("phantom", bad) for bad in (1, "true", None)),
        *(("stage", bad) for bad in ("../../x", "ad", "", "\x1b[2J", 1)),
        *(("plane", bad) for bad in ("/etc", "axial\n", "A" * 10**5)),
        *(("reference", bad) for bad in ("pons.nii", "", None)),
        *(("preset", bad) for bad in ("", "x" * 80, "\u2603", "a\nb", 1)),
        *(("made_by", bad) for bad in ("\x1b]0;x\x07", "\xe9", None)),
    ],
)
def test_facts_out_of_their_limits_are_refused(name, value):
    values = dataclasses.asdict(FACTS)
    with pytest.raises(ValueError, match=f"expected {name} ") as caught:
        ModelInfo.from_json(json.dumps(values | {name: value}), source="there")
    assert "in there: export the run again" in str(caught.value)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400
    with pytest.raises(ValueError, match=f"expected {name} "):
        dataclasses.replace(FACTS, **{name: value})


CONDITIONS = {
    "names": ["stage", "plane", "position", "age"],
    "stages": ["NC", "AD"],
    "bands_mm": {"axial": [-40.0, 50.0], "coronal": [0.0, 1.0]},
    "ages": [55.0, 90.0],
}
CONDITIONAL = dataclasses.replace(
    FACTS, stage="ALL", plane="ALL", conditions=CONDITIONS
)


def test_a_conditional_model():
    assert CONDITIONAL.name == "conditional"
    text = CONDITIONAL.to_json()
    assert ModelInfo.from_json(text, source="here") == CONDITIONAL
    assert CONDITIONAL.takes.to_dict() == CONDITIONS
    told = json.loads(text)["how_to_ask"]
    assert list(told) == ["age", "plane", "position_mm", "stage", "status"]
    one = CONDITIONS | {"bands_mm": {"coronal": [0, 1]}}
    for plane, name in (("axial", ""), ("coronal", "_coronal")):
        one["bands_mm"] = {plane: [0, 1]}
        facts = dataclasses.replace(CONDITIONAL, plane=plane, conditions=one)
        assert facts.name == f"conditional{name}"


def test_a_model_without_conditions_says_nothing_of_them():
    """Its description has the bytes that it had before there were any."""
    assert FACTS.takes is None
    assert "conditions" not in FACTS.to_json()
    assert "how_to_ask" not in FACTS.to_json()


@pytest.mark.parametrize(
    "changes",
    [
        *({"conditions": bad} for bad in ("x", 5, [], {}, True, {"a": 1})),
        *({"names": bad} for bad in ([], ["age"], [{}], 7, "\x1b[2J", None)),
        *({"stages": bad} for bad in (["NC"], ["NC", "NC"], ["x"], [[]])),
        *({"bands_mm": bad} for bad in ({}, {"x": [0, 1]}, [], "axial", 1)),
        *(
            {"bands_mm": {"axial": bad, "coronal": [0, 1]}}
            for bad in ([1, 0], [0], None, [0, 10**400], ["a", "b"], [0, 1e5])
        ),
        *({"ages": bad} for bad in (None, [90, 55], [0, 200], "ab", [1], {})),
        *({"stage": bad} for bad in ("AD", "NC")),
        *({"plane": bad} for bad in ("axial", "coronal")),
        {"bands_mm": {"axial": [0, 1]}},
        {"names": ["stage", "position", "age"]},
    ],
    ids=lambda changes: str(changes)[:40],
)
def test_conditions_that_make_no_sense_are_refused(changes):
    values = json.loads(CONDITIONAL.to_json())
    conditions = dict(CONDITIONS)
    for name, value in changes.items():
        (conditions if name in conditions else values)[name] = value
    values.setdefault("conditions", conditions)
    if "conditions" not in changes:
        values["conditions"] = conditions
    with pytest.raises(ValueError, match="in there: export the run") as found:
        ModelInfo.from_json(json.dumps(values), source="there")
    assert str(found.value).isprintable()
    assert len(str(found.value)) < 500


def test_all_planes_without_conditions_are_refused():
    with pytest.raises(ValueError, match="expected plane "):
        dataclasses.replace(FACTS, plane="ALL")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", ["suvr_max", "spacing_mm"])
def test_scales_are_finite(name, value):
    with pytest.raises(ValueError, match=f"expected {name} "):
        dataclasses.replace(FACTS, **{name: value})
    text = json.dumps(dataclasses.asdict(FACTS) | {name: value})
    with pytest.raises(ValueError, match="export the run again"):
        ModelInfo.from_json(text, source="there")


def test_a_scale_may_be_written_as_a_whole_number():
    text = json.dumps(dataclasses.asdict(FACTS) | {"suvr_max": 2})
    assert ModelInfo.from_json(text, source="there").suvr_max == 2


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", "null", '{"stage": "AD"}', "\xff", "[" * 10**5),
        '{"size": ' + "9" * 5000 + "}",
        '{"stage": "AD"}' + " " * 2**24,
    ],
    ids=lambda text: text[:10],
)
def test_damaged_facts_are_refused(tmp_path, text):
    FACTS.write(tmp_path)
    path = tmp_path / "assets.extra" / "model.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ValueError, match=r"model\.json.*: export the") as error:
        ModelInfo.read(tmp_path)
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 600


def test_facts_with_any_byte_changed_are_facts_or_refused():
    texts = [each.to_json().encode() for each in (FACTS, CONDITIONAL)]
    random = np.random.default_rng(0)
    for number in range(600):
        text = texts[number % 2]
        mutated = bytearray(text)
        for place in random.integers(0, len(text), random.integers(1, 4)):
            mutated[place] = random.integers(256)
        try:
            facts = ModelInfo.from_json(bytes(mutated), source="there")
        except ValueError as error:
            assert str(error).isprintable()  # noqa: PT017
        else:
            assert 1 <= facts.max_rows <= MAX_ROWS
