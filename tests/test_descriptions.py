import pytest

from tfds_adni.descriptions import LEVELS, level_of, tracer_of

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
    ],
)
def test_level(description, level):
    assert level_of(description) == level


def test_levels_are_best_first():
    assert LEVELS[0] == "uniform_8mm"
    assert LEVELS[-2:] == ("raw", "unknown")
