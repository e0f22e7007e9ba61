import pytest

from tfds_adni.sources.descriptions import (
    LEVELS,
    TRACERS,
    level_of,
    tracer_named,
    tracer_of,
)

UNIFORM = "Coreg, Avg, Std Img and Vox Siz, Uniform Resolution"


@pytest.mark.parametrize(
    ("description", "tracer"),
    [
        (UNIFORM, "FDG"),
        ("ADNI Brain PET: Raw FDG", "FDG"),
        ("AV45 " + UNIFORM, "AV45"),
        ("PT_AV1451_Co-registered,_Averaged", "AV1451"),
        ("PIB Coreg, Avg, Standardized Image and Voxel Size", "PIB"),
        ("FBB Co-registered Dynamic", "FBB"),
        ("ADNI Brain PET: Raw", "FDG"),
        ("ADNI Brain PET: Raw Tau", "AV1451"),
        ("18F-FMM Coreg, Avg", "FMM"),
        ("MPRAGE", "unknown"),
        ("", "unknown"),
    ],
)
def test_tracer(description, tracer):
    assert tracer_of(description) == tracer


@pytest.mark.parametrize(
    ("description", "level"),
    [
        (UNIFORM, "uniform_8mm"),
        (UNIFORM.replace(" ", "_"), "uniform_8mm"),
        ("Coreg, Avg, Std Img and Vox Siz, Uniform 6mm Res", "uniform_6mm"),
        ("Coreg, Avg, Standardized Image and Voxel Size", "standardised"),
        ("Co-registered, Averaged", "averaged"),
        ("Co-registered Dynamic", "dynamic"),
        ("ADNI Brain PET: Raw FDG", "raw"),
        ("Something else", "unknown"),
        ("Coreg  Avg", "averaged"),
        ("Drawn", "unknown"),
    ],
)
def test_level(description, level):
    assert level_of(description) == level


@pytest.mark.parametrize(
    ("text", "tracer"),
    [
        ("18FFDG", "FDG"),
        ("18F-FDG", "FDG"),
        ("[18F]FDG", "FDG"),
        ("Fluorodeoxyglucose F^18^", "FDG"),
        ("fludeoxyglucose", "FDG"),
        ("18FAV45", "AV45"),
        ("Florbetapir", "AV45"),
        ("11CPIB", "PIB"),
        ("18FFBB", "FBB"),
        ("18FAV1451", "AV1451"),
        ("18FFMM", "FMM"),
        ("18FMK6240", "MK6240"),
        ("18FPI2620", "PI2620"),
        ("18FNAV4694", "NAV4694"),
        (" CIMBI-36 ", "CIMBI-36"),
        ("", ""),
    ],
)
def test_tracer_as_bids_and_xml_spell_it(text, tracer):
    assert tracer_named(text) == tracer
    assert tracer not in TRACERS or tracer_named(tracer.lower()) == tracer


def test_levels_are_best_first():
    assert LEVELS[0] == "uniform_8mm"
    assert LEVELS[-2:] == ("raw", "unknown")
