"""Names of tracers: short, by chemistry, by maker, in JSON, in folders."""

import random

import pytest

from tfds_adni.sources.tracers import (
    TRACERS,
    known_tracer,
    tracer_in,
    tracer_named,
    tracer_of_facts,
    tracer_of_names,
)


@pytest.mark.parametrize(
    ("texts", "tracer"),
    [
        ("18FFDG|F18FDG|[18F]-FDG|F-18 FDG|18F_FDG|FDG-F18|¹⁸F-FDG", "FDG"),
        ("2-[18F]fluoro-2-deoxy-D-glucose|2-fluoro-2-deoxyglucose", "FDG"),
        ("2-deoxy-2-(18F)fluoro-D-glucose|fluoro-deoxy glucose", "FDG"),
        ("2-deoxy-2-[18F]fluoro-D-glucopyranose|18F-deoxyglucose", "FDG"),
        (
            "18F-fluorodeoxyglucose|fludeoxyglucose F18|Fluordesoxyglucose",
            "FDG",
        ),
        ("FDG -- fluorodeoxyglucose|Fludésoxyglucose (18F)", "FDG"),
        ("florbetapir|AV45|AV-45|18FAV45|Amyvid|[18F]AV 45", "AV45"),
        ("florbetaben|Neuraceq|FBB", "FBB"),
        ("flutemetamol|Vizamyl|18FFMM", "FMM"),
        ("PiB|11CPIB|C11PIB|[11C]-PiB|11C-Pittsburgh compound B", "PIB"),
        ("flortaucipir|AV-1451|Tauvid|T807|[18F]T-807", "AV1451"),
        ("MK-6240|18FMK6240|florquinitau", "MK6240"),
        ("PI-2620|18FPI2620", "PI2620"),
        ("NAV4694|AZD4694|flutafuranol", "NAV4694"),
        ("6-[18F]fluoro-L-DOPA|FDOPA|FET|FLT|fluorothymidine", ""),
        ("Me-4FDG|6-[18F]fluoro-6-deoxy-D-glucose|FDGal|tau", ""),
        ("[11C]glucose|2-deoxyglucose|fluorodeoxygalactose|T808", ""),
        ("FDGPET|PETFDG|FDGF18|18F-Fluordesoxyglukose", "FDG"),
        ("Fluorodesoxiglucosa|fluorodesossiglucosio|Fluorodéoxyglucose", "FDG"),
        ("PETPIB|PIB-PET|PIBPET", "PIB"),
        ("fluorodeoxyglucosamine|FDGlike", ""),
        ("AV133|fluorodeoxyuridine|3-deoxy-3-[18F]fluoro-D-glucose", ""),
    ],
)
def test_names(texts, tracer):
    assert {tracer_in(text) for text in texts.split("|")} == {tracer}


def test_isotope_brackets_and_marks_do_not_count():
    rng = random.Random(1)
    isotopes = ("18F", "F18", "F-18", "[18F]", "(18F)", "18-F", "")
    for name in TRACERS:
        for _ in range(40):
            mark = rng.choice(("", " ", "-", "_")) or " "
            text = f"{rng.choice(isotopes)}{mark}{name}"
            text = "".join(rng.choice((c, c.lower())) for c in text)
            assert tracer_named(text) == name, text


@pytest.mark.parametrize(
    "text",
    [
        *("", "n/a", "Unknown", "none", "Solution", "18F", "[18F]", "TBD", "?"),
        *("Fluorine-18", "Fluor-18", "^18^Fluorine", "Fluorine", "-", "F 18"),
        *("F18 solution", "PET tracer", "not specified", "XXX"),
    ],
)
def test_a_cell_that_names_none(text):
    assert tracer_named(text) == ""


def test_another_tracer_keeps_its_name():
    assert tracer_named(" CIMBI-36 ") == "CIMBI-36"
    assert tracer_named("Fluoride") == "Fluoride"


@pytest.mark.parametrize(
    ("texts", "tracer"),
    [
        ("FDOPA|18FFDOPA|6-[18F]fluoro-L-DOPA", "FDOPA"),
        ("18F-FET|FET", "FET"),
        ("UCBJ|11CUCBJ|[11C]UCB-J", "UCBJ"),
        ("[11C]raclopride|11Craclopride", "raclopride"),
        ("15Owater|[15O]H2O|O15|15O-water|[15O]-H2O", "water"),
        ("11C-MET|L-methionine", "MET"),
        ("18FDPA714|DPA-714", "DPA714"),
        ("THK5351|18FTHK5317", "THK"),
        ("18FFDG", "FDG"),
        (
            "metabolism|offset|2015-Oslo|2015O|O156|desc-flt|fetal|restwater|static|4dynamic|dopamine",
            "",
        ),
    ],
)
def test_tracers_that_are_not_adnis(texts, tracer):
    assert {known_tracer(text) for text in texts.split("|")} == {tracer}


@pytest.mark.parametrize("part", ["y", "x", "18f", "fluor18", "na", "15o "])
def test_a_long_text_is_cut(part):
    """Nor does it take long, whatever is repeated."""
    text = part * 10_000 + "FDG"
    assert tracer_named(text) in (text, "")
    assert tracer_of_names([text]) in ("", "water")


@pytest.mark.parametrize(
    ("facts", "tracer"),
    [
        ({"TracerName": "[18F]FDG", "Radiopharmaceutical": "PIB"}, "FDG"),
        ({"TracerName": "n/a", "Radiopharmaceutical": "PIB"}, "PIB"),
        ({"TracerName": "SV2A", "Radiopharmaceutical": "FDG"}, "SV2A"),
        ({"TracerName": 18}, ""),
        (
            {
                "RadiopharmaceuticalInformationSequence": [
                    {
                        "Radiopharmaceutical": "Solution",
                        "RadiopharmaceuticalCodeSequence": [
                            {"CodeMeaning": "Fluorodeoxyglucose F^18^"}
                        ],
                    }
                ]
            },
            "FDG",
        ),
        ({"CodeMeaning": "FDG"}, ""),
        ({}, ""),
    ],
)
def test_keys_of_a_json_file(facts, tracer):
    assert tracer_of_facts(facts) == tracer


@pytest.mark.parametrize(
    ("folders", "tracer"),
    [
        (["pet", "sub-01_18FFDG"], "FDG"),
        (["sub-01_18FFDG_pet", "18FAV45"], "FDG"),
        (["PET_18FFDG", "sub-01"], "FDG"),
        (["ses-AV45", "FDG"], "AV45"),
        # one that is not ADNI's ends the search
        (["pet", "sub-01", "FDOPA", "FDG_and_others"], "FDOPA"),
        # a label of a subject, a folder for two tracers
        (["sub-FDG01"], ""),
        (["FDG_and_AV45"], ""),
        ([], ""),
    ],
)
def test_parts_of_a_path(folders, tracer):
    assert tracer_of_names(folders) == tracer
