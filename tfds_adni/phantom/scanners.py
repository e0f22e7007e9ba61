"""Scanners of many models at invented sites, and what one scan has of its own.

The models' numbers are in `data/scanners.csv`, which says which of them are
published, the sites in `data/sites.csv`, and what does not depend on the model
in `data/acquisition.csv` and `data/motion.csv`.
"""

import dataclasses
import functools
from dataclasses import dataclass

import numpy as np

from tfds_adni.phantom.imaging import (
    ADNI_GRID,
    GAIN_MM,
    Grid,
    Pose,
    polynomial,
    rotation,
)
from tfds_adni.phantom.parameters import ACQUISITION, read_rows
from tfds_adni.phantom.subjects import NOISE, POSE, SITE, Subject

FRAMES = 6  # of five minutes each, 30 to 60 min after injection (ADNI)
# Semi-axes of the MNI brain about `CENTRE`, in mm.
_BRAIN_MM = np.array([69.0, 88.0, 76.0])
_WAYS = "in_plane", "axial"
# Ours: errors along these terms of `polynomial` are twice those of the others.
_GAIN_WEIGHTS = np.array([1, 1, 2, 2, 1, 2, 1, 1, 1])


@dataclass(frozen=True)
class Scanner:
    """A model of a scanner with its reconstruction.

    Args:
        name: Maker and model.
        number: Its row in the table, from 1; 0 for that of everybody.
        resolution: FWHM in-plane and axial, in mm, before ADNI's kernel.
        kernel: FWHM of ADNI's kernel to 8 mm, in-plane and axial, in mm.
        grid: Its own grid.
        noise_cv: Of 30 minutes in grey matter on its own grid, as a share.
        colour_mm: FWHM of the kernel that makes its noise of white noise.
    """

    name: str
    number: int
    resolution: tuple[float, float]
    kernel: tuple[float, float]
    grid: Grid
    noise_cv: float
    colour_mm: float


@dataclass(frozen=True)
class Acquisition:
    """What one scan of one visit has of its own.

    Args:
        scanner: Its scanner.
        resolution: FWHM in-plane and axial, in mm, before ADNI's kernel.
        noise_cv: Of 30 minutes in grey matter on the scanner's grid.
        gain: Terms of the smooth gain, see `imaging.gain`, `[9]`.
        dose: Counts over the mean subject's.
        scale: Mean of the brain after ADNI's scaling, about one.
        pose: The head after it was brought to the AC-PC line.
        frames: The head in each frame as it lay.
        motion_mm: How far it moved between the frames, about.
    """

    scanner: Scanner
    resolution: tuple[float, float]
    noise_cv: float
    gain: np.ndarray
    dose: float
    scale: float
    pose: Pose
    frames: tuple[Pose, ...]
    motion_mm: float


@functools.cache
def scanners() -> dict[str, Scanner]:
    """The models by their names, in the order of `data/scanners.csv`."""
    rows = read_rows("scanners.csv")
    models = (_scanner(n, row) for n, row in enumerate(rows, start=1))
    return {model.name: model for model in models}


def _scanner(number: int, row: dict[str, str]) -> Scanner:
    """Reads a row of the table."""

    def pair(name: str) -> tuple[float, float]:
        return tuple(float(row[f"{name}{way}_mm"]) for way in _WAYS)

    across, along = float(row["voxel_mm"]), float(row["plane_mm"])
    matrix, planes = int(row["matrix"]), int(row["planes"])
    return Scanner(
        name=row["name"],
        number=number,
        resolution=pair(""),
        kernel=pair("kernel_"),
        grid=Grid((matrix, matrix, planes), (across, across, along)),
        noise_cv=float(row["cv_pct"]) / 100,
        colour_mm=float(row["colour_mm"]),
    )


@functools.cache
def sites() -> tuple[Scanner, ...]:
    """The scanner of each invented site, from number 1."""
    return tuple(scanners()[row["model"]] for row in read_rows("sites.csv"))


def same_for_all() -> Scanner:
    """The scanner of everybody where there is one: 8 mm after the kernel."""
    model = next(iter(scanners().values()))
    kernel = float(np.sqrt(64 - model.resolution[0] ** 2))
    # the kernel takes noise down along each axis, see `Level.noise_cv`
    ratio = np.hypot(model.colour_mm, kernel) / model.colour_mm
    return dataclasses.replace(
        model,
        name="one for everybody",
        number=0,
        kernel=(kernel, kernel),
        noise_cv=ACQUISITION["one_scanner_cv"] * ratio**3,
    )


def site_of(subject: Subject) -> int:
    """The number of the subject's site, from 1; the same at all visits.

    Args:
        subject: One of the cohort.
    """
    return 1 + int(subject.stream(SITE).integers(len(sites())))


def scanner_of(subject: Subject) -> Scanner:
    """The scanner of a subject, the same at all visits.

    Args:
        subject: One of the cohort.
    """
    if not subject.difficulty.own_scanners:
        return same_for_all()
    return sites()[site_of(subject) - 1]


def acquire(subject: Subject, visit: int = 0) -> Acquisition:
    """Draws what a scan has of its own.

    Args:
        subject: One of the cohort.
        visit: Number of the visit, from 0.
    """
    hard, scanner = subject.difficulty, scanner_of(subject)
    rng = subject.stream(NOISE, visit)
    sharper, louder, dose, scale = rng.standard_normal(4)
    factor = 1 + hard.resolution_sd * np.clip(sharper, -3, 3)
    terms = _model_gain(scanner.number, hard.model_gain_sd)
    own = _draw_gain(rng, hard.scan_gain_sd)
    rng = subject.stream(POSE, visit)
    pose = _standard_pose(subject, rng)
    motion_mm, frames = _frames(scanner, subject, rng)
    return Acquisition(
        scanner=scanner,
        resolution=tuple(factor * each for each in scanner.resolution),
        noise_cv=scanner.noise_cv * float(np.exp(hard.noise_sd * louder)),
        gain=terms + own,
        dose=float(np.exp(ACQUISITION["log_dose_sd"] * dose)),
        scale=float(np.exp(hard.scale_sd * scale)),
        pose=pose,
        frames=frames,
        motion_mm=motion_mm,
    )


def _model_gain(number: int, sd: float) -> np.ndarray:
    """The terms of the gain that all scanners of a model share."""
    rng = np.random.default_rng([number, 15])
    return _draw_gain(rng, sd * rng.uniform(2 / 3, 4 / 3))


def _draw_gain(rng: np.random.Generator, sd: float) -> np.ndarray:
    """Draws terms whose sum has an SD in the brain."""
    terms = _GAIN_WEIGHTS * rng.standard_normal(len(_GAIN_WEIGHTS))
    ball = np.linspace(-0.95, 0.95, 10)
    places = np.stack(np.meshgrid(ball, ball, ball)).reshape(3, -1)
    places = places[:, (places**2).sum(axis=0) < 1]
    brain = polynomial(0.92 * _BRAIN_MM[:, None] / GAIN_MM * places)
    return sd * terms / (terms @ brain).std()


def _standard_pose(subject: Subject, rng: np.random.Generator) -> Pose:
    """Draws what is left of a head's pose on the AC-PC line."""
    angles, shift = rng.standard_normal((2, 3))
    turn = rotation(np.deg2rad(subject.difficulty.turn_deg) * angles)
    shift = subject.difficulty.shift_mm * shift
    return Pose(turn, _inside(shift, turn, ADNI_GRID, subject.scale))


def _frames(
    scanner: Scanner, subject: Subject, rng: np.random.Generator
) -> tuple[float, tuple[Pose, ...]]:
    """Draws how the head lay in each frame, and about how far it moved."""
    angles, shift = rng.standard_normal((2, 3))
    turn = rotation(np.deg2rad(_raw("turn") + _raw("turn_sd") * angles))
    shift = _raw("shift_sd") * shift
    shift = _inside(shift, turn, scanner.grid, subject.scale)
    classes, sizes = _motion_classes()
    size = float(sizes[np.searchsorted(classes, rng.random())])
    walk = rng.standard_normal((FRAMES, 2, 3))
    walk[0] = 0  # the others are brought to the first
    walk = size * np.cumsum(walk, axis=0) / np.sqrt(3 * (FRAMES - 1))
    turn_a_mm = np.deg2rad(ACQUISITION["turn_a_mm"])
    return size, tuple(
        Pose(rotation(turn_a_mm * turned) @ turn, shift + moved)
        for turned, moved in walk
    )


def _raw(what: str) -> np.ndarray:
    """Numbers along or about x, y and z of a head as it lay, `[3]`."""
    return np.array([ACQUISITION[f"raw_{axis}_{what}"] for axis in "xyz"])


@functools.cache
def _motion_classes() -> tuple[np.ndarray, np.ndarray]:
    """How many scans move at most so far, as shares, and how far in mm."""
    rows = read_rows("motion.csv")
    scans = np.array([int(row["scans"]) for row in rows])
    moved_mm = np.array([float(row["moved_mm"]) for row in rows])
    return np.cumsum(scans) / scans.sum(), moved_mm


def _inside(
    shift: np.ndarray, turn: np.ndarray, grid: Grid, scale: np.ndarray
) -> np.ndarray:
    """Moves a head so that its vertex, then its base, is in view.

    As those who place it do. The brain is taken as an ellipsoid.
    """
    tall = np.linalg.norm(_BRAIN_MM * scale * turn[:, 2])
    half = grid.steps[2] * grid.shape[2] / 2
    highest = half - ACQUISITION["above_brain"] - tall
    lowest = min(tall + 3 - half, highest)
    return np.array([*shift[:2], np.clip(shift[2], lowest, highest)])
