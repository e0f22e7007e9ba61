import os
import subprocess
import sys

import numpy as np
import pytest

from tfds_adni.phantom import fields
from tfds_adni.phantom.fields import smooth_field

AXES = [np.arange(0, 60, 3.0)] * 3


def test_a_smooth_field_has_an_sd_of_one():
    rng = np.random.default_rng(0)
    drawn = [smooth_field(AXES, rng, knot_mm=12) for _ in range(30)]
    assert drawn[0].dtype == np.float32
    assert np.std(drawn) == pytest.approx(1, rel=0.05)


def test_a_spline_at_a_knot_weighs_its_neighbours_a_quarter():
    """Cubic B-splines are 2/3 at their own knot and 1/6 at the next."""
    row = fields._spline_basis(np.array([0.0]), 10.0)[0]
    largest = np.sort(row)[::-1]
    np.testing.assert_allclose(largest[1:3] / largest[0], 0.25, atol=1e-6)


def test_fields_are_the_same_with_any_number_of_threads():
    code = (
        "import sys, numpy as np\n"
        "from tfds_adni.phantom.fields import smooth_field\n"
        "axes = [np.arange(0, 190, 1.5)] * 3\n"
        "rng = np.random.default_rng(0)\n"
        "field = smooth_field(axes, rng, knot_mm=8)\n"
        "sys.stdout.buffer.write(field.tobytes())\n"
    )
    one, two = (
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ
            | dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), n),
            capture_output=True,
            check=True,
        ).stdout
        for n in ("1", "2")
    )
    assert len(one) == 4 * 127**3
    assert one == two
