"""Sets that are tiny, flat, repeated or broken: a right number, or a refusal.

Every public function of `pet_dcgan.metrics` that takes images or subjects is
given all of them. It answers with finite numbers, or with a `ValueError` that
says what it needs; a warning is a failure, too.
"""

import dataclasses
import importlib
import inspect
import numbers
import pkgutil
import re

import numpy as np
import pytest

from pet_dcgan import metrics
from pet_dcgan.metrics import roughness, spectrum, volume_regions
from pet_dcgan.metrics.levels import subject_means
from pet_dcgan.metrics.membership import TooFewSubjectsError
from pet_dcgan.metrics.memorization import OneSubjectError
from pet_dcgan.metrics.regions import regional_uptake

SUVR_MAX = 2.5


@dataclasses.dataclass(frozen=True)
class Sets:
    """Slices `[n, 32, 32]` in SUVR, the first three kinds with `owners`."""

    train: np.ndarray
    held_out: np.ndarray
    owners: np.ndarray
    synthetic: np.ndarray


def plain(count=16, each=2):
    """`count` slices of every kind, `each` of a subject."""
    rng = np.random.default_rng(0)
    kinds = rng.uniform(0.2, 1.8, [3, count, 32, 32]).astype(np.float32)
    train, held_out, synthetic = kinds
    return Sets(train, held_out, np.arange(count) // each, synthetic)


def every(change):
    """The change of all images of the plain sets."""
    sets = plain()
    return Sets(
        *map(change, (sets.train, sets.held_out)),
        sets.owners,
        change(sets.synthetic),
    )


def with_value(value):
    """One bad pixel in a synthetic image, or in a real one."""

    def spoil(images):
        images[3, 4, 5] = value
        return images

    return every(spoil)


SETS = {
    "plain": plain(),
    "two subjects": plain(4),
    "one subject": plain(2),
    "two slices, two subjects": plain(2, each=1),
    "one slice": plain(1),
    "uniform": every(np.ones_like),
    "black": every(np.zeros_like),
    "all alike": every(lambda x: x * 0 + plain().train[0]),
    "every slice twice": every(lambda x: np.repeat(x[:8], 2, axis=0)),
    "subjects twice": every(lambda x: np.tile(x[:8], [2, 1, 1])),
    "copies": dataclasses.replace(plain(), synthetic=plain().train),
    "copies of subjects twice": dataclasses.replace(
        plain(),
        train=np.tile(plain().train[:8], [2, 1, 1]),
        synthetic=plain().train,
    ),
    "mirrored copy": dataclasses.replace(
        plain(),
        synthetic=np.append(
            plain().synthetic[1:], plain().train[:1, :, ::-1], axis=0
        ),
    ),
    "NaN": with_value(np.nan),
    "infinity": with_value(np.inf),
}

_RANGE = {"dynamic_range": SUVR_MAX}
_BINS = {"suvr_max": SUVR_MAX, "bins": 8}


def _names(s):
    return {"train_subjects": s.owners, "held_out_subjects": s.owners}


def _apart(s):
    return {"subjects": s.owners, "pool_subjects": s.owners}


def _trio(s):
    return s.train, s.held_out, s.synthetic


def _pair(s):
    return s.held_out, s.synthetic


def _each(function, s, **options):
    return [function(images, **options) for images in _pair(s)]


def _power(s):
    found = _each(spectrum.radial_power_spectrum, s, spacing_mm=6)
    return [one.power for one in found]


def _at_two_levels(images, s):
    return images, s.owners, np.arange(len(images)) % 2, 2


def _stacks(*images):
    """As stacks of one position."""
    return [each[:, np.newaxis] for each in images]


def _volumes(images):
    """As volumes `[n, 16, 16, 16]`: planes that fade upwards."""
    return images[:, :16, :16, None] * np.linspace(1, 0.7, 16) ** 2


def _axes(s):
    return [roughness.axis_roughness(_volumes(x)) for x in _pair(s)]


def _contrast(function, s):
    real = [subject_means(*_at_two_levels(x, s)) for x in (s.train, s.held_out)]
    levels = np.arange(len(s.synthetic)) % 2
    return function(real, [s.synthetic, s.held_out], [levels, levels])


CALLS = {
    "centring.centred": lambda f, s: f(s.synthetic),
    "centring.centred_images": lambda f, s: f(s.synthetic),
    "centring.centred_volumes": lambda f, s: f(_volumes(s.synthetic)),
    "cuts.cut": lambda f, s: f(_volumes(s.synthetic), "axial", 0),
    "cuts.orthogonal_cuts": lambda f, s: f(_volumes(s.synthetic)),
    "cuts.three_plane": lambda f, s: f(_volumes(s.synthetic)),
    "confidence.mean_interval": lambda f, s: f(
        s.held_out.mean(axis=(1, 2)), s.owners
    ),
    "contrast.compare_contrasts": lambda f, s: _contrast(f, s),
    "confidence.halves_interval": lambda f, s: f(
        lambda rows: s.held_out[rows].mean(), subjects=[s.owners]
    ),
    "copy_search.search": lambda f, s: f(s.synthetic, s.train, s.owners),
    "copy_search.share_p_value": lambda f, s: f(
        *(images.mean(axis=(1, 2)) > 1 for images in _pair(s)), s.owners
    ),
    "distribution.kid": lambda f, s: f(*_pair(s), subjects=s.owners),
    "distribution.frechet_distance": lambda f, s: f(*_pair(s)),
    "distribution.frechet_ratio": lambda f, s: f(
        *_pair(s), subjects=s.owners, seed=0
    ),
    "distribution.precision_recall_density_coverage": lambda f, s: f(
        *_pair(s), subjects=s.owners
    ),
    "image_quality.psnr": lambda f, s: f(*_pair(s)),
    "image_quality.ssim": lambda f, s: f(*_pair(s), **_RANGE),
    "image_quality.windowed_ssim": lambda f, s: f(*_pair(s), **_RANGE),
    "image_quality.ms_ssim": lambda f, s: f(*_pair(s), **_RANGE),
    "image_quality.diversity": lambda f, s: f(
        s.held_out, subjects=s.owners, **_RANGE
    ),
    "levels.nearest_levels": lambda f, s: f(
        s.synthetic, s.train, np.arange(len(s.train)) % 2
    ),
    "levels.subject_means": lambda f, s: f(*_at_two_levels(s.train, s)),
    "membership.membership_inference": lambda f, s: f(*_trio(s), **_names(s)),
    "membership.subject_distances": lambda f, s: f(
        s.train, s.owners, s.synthetic
    ),
    "memorization.check_memorization": lambda f, s: f(*_trio(s), **_names(s)),
    "memorization.authenticity": lambda f, s: f(
        s.train, s.synthetic, subjects=s.owners
    ),
    "memorization.copy_test": lambda f, s: f(
        *_trio(s), held_out_subjects=s.owners
    ),
    "nearest_subjects.two_nearest_subjects": lambda f, s: f(
        s.synthetic, s.train, s.owners
    ),
    "model_contrast.difference": lambda f, s: f(_stacks(*_pair(s))),
    "model_contrast.model_contrast": lambda f, s: f(
        _stacks(s.train, s.held_out), _stacks(*_pair(s))
    ),
    "model_contrast.region_contrast": lambda f, s: f(
        _stacks(s.train, s.held_out), _stacks(*_pair(s))
    ),
    "model_contrast.truth_agreement": lambda f, s: f(
        (s.synthetic[:1] - s.held_out[:1]),
        _stacks(s.train, s.held_out),
        np.arange(1024).reshape(1, 32, 32) % 2 > 0,
    ),
    "obedience.identity_kept": lambda f, s: f(*_stacks(*_pair(s))),
    "obedience.slices_at": lambda f, s: f(
        s.synthetic,
        s.owners,
        np.arange(len(s.synthetic)) % 2 * 3.0,
        at_mm=np.array([0.0, 3.0]),
        within_mm=1.0,
    )[0],
    "obedience.stage_accuracy": lambda f, s: f(
        (s.synthetic.mean(axis=(1, 2)) > 1).astype(int),
        np.arange(len(s.owners)) % 2,
        s.owners,
        classes=2,
    ),
    "obedience.variety": lambda f, s: f(*_stacks(s.synthetic, s.held_out)),
    "position.fit_position_reader": lambda f, s: f(
        s.train, 3.0 * np.arange(len(s.train)), s.owners
    ),
    "position.position_error": lambda f, s: f(
        *(images.mean(axis=(1, 2)) for images in _pair(s)), s.owners
    ),
    "neighbors.nearest_rows": lambda f, s: f(s.synthetic, s.train),
    "neighbors.nearest_distances": lambda f, s: f(
        s.train, s.train, **_apart(s)
    ),
    "neighbors.kth_neighbour_distances": lambda f, s: f(
        s.synthetic, 3, subjects=s.owners
    ),
    "neighbors.nearest": lambda f, s: f(s.train, s.train, **_apart(s)),
    "neighbors.random_pairs": lambda f, s: f(
        len(s.train), len(s.train), seed=0, **_apart(s)
    ),
    "region_statistics.set_statistics": lambda f, s: f(
        regional_uptake(s.held_out), s.owners
    ),
    "region_statistics.set_agreement": lambda f, s: f(
        *_each(regional_uptake, s), subjects=s.owners
    ),
    "regions.bland_altman": lambda f, s: f(*_each(regional_uptake, s)),
    "regions.left_right_asymmetry": lambda f, s: f(
        regional_uptake(s.synthetic)
    ),
    "regions.regional_uptake": lambda f, s: f(s.synthetic),
    "repeated_subjects.merged_subjects": lambda f, s: f(s.train, s.owners),
    "significance.kid_p_value": lambda f, s: f(
        *_pair(s), subjects=s.owners, seed=0
    ),
    "spectrum.radial_power_spectrum": lambda f, s: f(s.synthetic, spacing_mm=6),
    "spectrum.spectrum_distance": lambda f, s: f(*_power(s)),
    "spectrum.nyquist_power": lambda f, s: f(s.synthetic),
    "spectrum.checkerboard_ratio": lambda f, s: f(
        *_each(spectrum.nyquist_power, s)
    ),
    "uptake.joint_histogram": lambda f, s: f(*_pair(s), **_BINS),
    "uptake.intensity_histogram": lambda f, s: f(s.synthetic, **_BINS),
    "uptake.wasserstein": lambda f, s: f(*_pair(s)),
    "volume_quality.ssim_3d": lambda f, s: f(
        *map(_volumes, _pair(s)), **_RANGE
    ),
    "volume_quality.ms_ssim_3d": lambda f, s: f(
        *map(_volumes, _pair(s)), **_RANGE
    ),
    "volume_quality.volume_diversity": lambda f, s: f(
        _volumes(s.held_out), subjects=s.owners, **_RANGE
    ),
    "roughness.axis_roughness": lambda f, s: f(_volumes(s.synthetic)),
    "roughness.roughness": lambda f, s: f(_volumes(s.synthetic)),
    "roughness.slice_roughness": lambda f, s: f(_volumes(s.synthetic)),
    "roughness.roughness_ratio": lambda f, s: f(*_axes(s), subjects=s.owners),
    "volume_regions.regional_means": lambda f, s: f(
        _volumes(s.synthetic), spacing_mm=14
    ),
    "volume_regions.regional_agreement": lambda f, s: f(
        *(
            volume_regions.regional_means(_volumes(x), spacing_mm=14)
            for x in _pair(s)
        ),
        subjects=s.owners,
    ),
}
# of numbers or of what the others found: tested by hand where they belong
ELSEWHERE = {
    "arrays.*",
    "cuts.central_offsets",
    "kernel_sums.*",
    "confidence.auc_interval",
    "confidence.percentile_interval",
    "confidence.share_interval",
    "confidence.student_interval",
    "copy_search.compared_mixtures",
    "copy_search.mixture_residuals",
    "copy_words.copy_words",
    "distribution.mean_shift",
    "membership.attack",
    "nearest_subjects.distances_to_subjects",
    "neighbors.chunks",
    "neighbors.squared_distances",
    "uptake.histogram_distance",
    "ceiling.*",
    "contrast.welch",
    "levels.level_edges",
    "levels.level_of",
    "regions.asymmetry_names",
    "regions.brain_mask",
    "regions.region_names",
    "image_quality.drawn_pairs",
    "atlas.*",
}
# what is not finite, and is documented so
_FLAT = ("uniform", "black", "all alike")
_PAIRS = ("two subjects", "two slices, two subjects")
INFINITE = {
    (name, sets)
    for name, every_set in {
        "contrast.compare_contrasts": _FLAT,
        "distribution.frechet_ratio": _FLAT,
        "distribution.kid": _PAIRS,
        "image_quality.psnr": ("uniform", "all alike"),
        "model_contrast.model_contrast": ("uniform", "all alike", "one slice"),
        "model_contrast.region_contrast": _FLAT,
        "obedience.variety": _FLAT,
        "position.position_error": (*_FLAT, "one slice"),
        "region_statistics.set_statistics": _FLAT,
        "volume_regions.regional_agreement": _FLAT,
        "roughness.roughness": ("uniform",),
        "roughness.roughness_ratio": ("uniform", "black"),
        "roughness.slice_roughness": ("black",),
    }.items()
    for sets in every_set
}
# they see no pixel, or only whether there are such, or give no interval
UNSEEING = (
    "confidence.halves_interval",
    "copy_search.share_p_value",
    "neighbors.random_pairs",
    "obedience.stage_accuracy",
)


def public_functions():
    """Every public function of the package, by module and name."""
    found = {}
    for each in pkgutil.iter_modules(metrics.__path__):
        module = importlib.import_module(f"{metrics.__name__}.{each.name}")
        for name, function in inspect.getmembers(module, inspect.isfunction):
            own = function.__module__ == module.__name__
            if own and not name.startswith("_"):
                found[f"{each.name}.{name}"] = function
    return found


FUNCTIONS = public_functions()


def numbers_of(found):
    """All numbers of a result, flat."""
    if found is None or isinstance(found, str):
        return
    if isinstance(found, numbers.Number | np.ndarray):
        yield from np.ravel(np.asarray(found, float))
        return
    if dataclasses.is_dataclass(found):
        found = [getattr(found, f.name) for f in dataclasses.fields(found)]
    for each in found:
        yield from numbers_of(each)


def test_every_public_function_is_given_them():
    known = CALLS.keys() | ELSEWHERE
    missing = {
        name
        for name in FUNCTIONS
        if name not in known and f"{name.partition('.')[0]}.*" not in known
    }
    assert not missing
    assert set(CALLS) <= set(FUNCTIONS)


def answer(name, sets):
    """What a function makes of sets, or the `ValueError` it refuses them by."""
    try:
        return CALLS[name](FUNCTIONS[name], SETS[sets])
    except ValueError as error:
        return error


@pytest.mark.parametrize("sets", SETS)
@pytest.mark.parametrize("name", CALLS)
def test_a_number_or_a_refusal(name, sets):
    found = answer(name, sets)
    if isinstance(found, ValueError):
        assert re.search("expected .*found ", str(found))
        assert sets != "plain"
        return
    finite = np.isfinite(list(numbers_of(found))).all()
    assert finite != ((name, sets) in INFINITE)
    if name not in UNSEEING:
        assert sets not in ("NaN", "infinity")


@pytest.mark.parametrize(
    ("sets", "verdict"),
    [
        ("plain", "no sign"),
        ("copies", "copies"),
        ("copies of subjects twice", "copies"),
        ("mirrored copy", "copies"),
    ],
)
def test_copies_hide_behind_nothing(sets, verdict):
    assert answer("memorization.check_memorization", sets).verdict == verdict


@pytest.mark.parametrize("sets", ["one subject", "uniform", "black"])
def test_nobody_is_cleared_by_a_set_without_two_subjects(sets):
    found = answer("memorization.check_memorization", sets)
    assert isinstance(found, OneSubjectError)


def test_few_subjects_are_said_to_be_few():
    check = answer("memorization.check_memorization", "two subjects")
    assert "Not enough evidence to clear it: 2 held-out" in check.words
    found = answer("membership.membership_inference", "two subjects")
    assert isinstance(found, TooFewSubjectsError)
    for name in ("mean_interval", "halves_interval"):
        interval = answer(f"confidence.{name}", "two subjects")
        assert (interval.low, interval.high) == (None, None)
        assert "there are 2" in interval.reason


@pytest.mark.parametrize("sets", ["uniform", "black", "all alike"])
def test_sets_that_do_not_differ(sets):
    assert answer("distribution.kid", sets).value == pytest.approx(0, abs=1e-9)
    assert answer("significance.kid_p_value", sets) == 1
    assert answer("distribution.frechet_distance", sets) == pytest.approx(0)
    assert answer("uptake.wasserstein", sets) == 0
    balls = answer("distribution.precision_recall_density_coverage", sets)
    assert (balls.precision, balls.recall, balls.coverage) == (1, 1, 1)


def test_an_attack_on_copies_finds_everybody():
    found = answer("membership.membership_inference", "copies")
    assert (found.auc, found.found, found.beyond_chance) == (1, 1, True)
