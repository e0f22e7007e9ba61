import numpy as np
import pytest

from pet_dcgan import references
from tfds_adni.volumes import templates
from tfds_adni.volumes.templates import (
    CENTRE_MM,
    TEMPLATES,
    require_in_space,
    space_of,
    template_of,
)
from tfds_adni.volumes.volume import VolumeError


def test_both_packages_know_the_same_spaces():
    assert {templates.NATIVE, *TEMPLATES} == set(references.SPACES)
    assert templates.NATIVE == references.NATIVE


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("MNI152NLin6ASym", "MNI152NLin6Asym"),  # ds004513
        ("MNI152NLin2009cSym", "MNI152NLin2009cSym"),  # Clinica
        ("MNI152NLin2009cAsym", "MNI152NLin2009cAsym"),  # PETPrep
        ("ixi549space", "IXI549Space"),
        ("MNI", ""),
        ("MNI152", ""),
        ("T1w", ""),
        ("", ""),
    ],
)
def test_names_of_templates_in_any_spelling(label, name):
    assert template_of(label) == name


def test_a_space_is_that_of_every_scan():
    assert space_of(["MNI152NLin6Asym", "MNI152NLin6ASym"]) == "MNI152NLin6Asym"
    assert space_of(["MNI152NLin6Asym", "MNI152NLin6Sym"]) == "native"
    assert space_of(["MNI152NLin6Asym", ""]) == "native"
    assert space_of(["T1w", "T1w"]) == "native"
    assert space_of([]) == "native"


def test_a_name_that_lies_is_refused():
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    affine[:3, 3] = [-90, -126, -72]
    near = np.linalg.inv(affine) @ [*np.add(CENTRE_MM, (10, -10, 10)), 1]
    found = require_in_space(affine, near[:3], "MNI152NLin6Asym")
    np.testing.assert_array_equal(found, affine)
    far = np.linalg.inv(affine) @ [*np.add(CENTRE_MM, (0, 0, 45)), 1]
    with pytest.raises(VolumeError, match="lies 45 mm from that of MNI152Lin;"):
        require_in_space(affine, far[:3], "MNI152Lin")
    with pytest.raises(VolumeError, match="no affine in a scan whose name"):
        require_in_space(None, (1.0, 2.0, 3.0), "MNI152Lin")
