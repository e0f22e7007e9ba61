"""Where the atlas is laid: about a brain's own centre, or in its template."""

from types import SimpleNamespace

import numpy as np
import pytest

from pet_dcgan.evaluation.volume_region_scores import regional_uptake
from pet_dcgan.metrics.atlas import CENTRE_MM, OWN_CENTRE_MM, region_names

SPACING = 3.5


@pytest.mark.parametrize(
    ("space", "centre"),
    [("native", OWN_CENTRE_MM), ("MNI152NLin6Asym", CENTRE_MM)],
)
def test_a_spot_is_found_in_its_region(space, centre):
    config = SimpleNamespace(space=space, spacing_mm=SPACING)
    images = SimpleNamespace(config=config)
    # the precuneus of the atlas, in voxels from the middle
    place = np.subtract((0, -56, 48), centre) / SPACING
    steps = np.indices([64] * 3).T - 32
    near = (np.linalg.norm(steps - place, axis=-1) <= 10 / SPACING).T
    found = regional_uptake(images, near[np.newaxis].astype(np.float32))[0]
    uptake = dict(zip(region_names(), found, strict=True))
    assert uptake["precuneus"] == 1
    assert max(uptake, key=uptake.get) == "precuneus"
