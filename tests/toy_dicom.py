"""Writes DICOM series of PET as a scanner exports them, a file a slice."""

from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

PET = "1.2.840.10008.5.1.4.1.1.128"
# Axes of the columns, the rows and the slices, counted in LPS, and whether
# each runs backwards: as scanners store axial, coronal and sagittal slices.
AXIAL = ((0, 1, 2), (False, False, False))
CORONAL = ((0, 2, 1), (False, True, False))
SAGITTAL = ((1, 2, 0), (False, True, False))
INJECTED = 10 * 3600
_START = 1800  # of the first frame, in seconds after injection


def agent(name: str = "Fluorodeoxyglucose", **other) -> pydicom.Dataset:
    """The item of RadiopharmaceuticalInformationSequence."""
    item = pydicom.Dataset()
    item.Radiopharmaceutical = name
    item.RadiopharmaceuticalStartTime = clock(INJECTED)
    item.RadionuclideHalfLife = 6586.2
    item.RadionuclideTotalDose = 2e8
    for element, value in other.items():
        setattr(item, element, value)
    return item


def clock(seconds: float) -> str:
    """A time of day as DICOM writes it."""
    minutes, second = divmod(int(seconds), 60)
    return f"{minutes // 60 % 24:02}{minutes % 60:02}{second:02}"


def brain(shape=(24, 28, 20), seed: int = 0) -> np.ndarray:
    """A RAS volume without symmetry: an ellipsoid, hot at the left."""
    axes = [np.linspace(-1, 1, n) for n in shape]
    x, y, z = np.meshgrid(*axes, indexing="ij")
    inside = x**2 + y**2 + z**2 < 0.8
    noise = np.random.default_rng(seed).uniform(0.9, 1.1, shape)
    spot = (np.abs(x + 0.5) < 0.2) & (np.abs(y - 0.3) < 0.2) & (z > 0)
    return (1000 * noise * inside * (1 + 2 * spot)).astype(np.float32)


def write_series(
    folder: Path,
    frames,
    *,
    spacing=(2.0, 2.5, 3.0),
    plane=AXIAL,
    lengths=None,
    name="IM{:04d}",
    order=None,
    **elements,
) -> list[Path]:
    """Writes the frames of a series, RAS volumes centred at the origin.

    `lengths` are the frames' seconds, one after another; `order` the order of
    the files; `elements` replace those of every file, `None` leaves one out.
    """
    folder.mkdir(parents=True, exist_ok=True)
    frames = [frames] if isinstance(frames, np.ndarray) else frames
    lengths = lengths or [300] * len(frames)
    shared = _shared(frames, plane, spacing) | elements
    files, start = [], _START
    for frame, length in zip(frames, lengths, strict=True):
        stack, corner, steps = _stack(frame, spacing, plane)
        for k in range(stack.shape[2]):
            at = {
                "AcquisitionTime": clock(INJECTED + start),
                "ActualFrameDuration": int(1000 * length),
                "FrameReferenceTime": 1000 * (start - _START + length / 2),
                "ImagePositionPatient": [*(corner + k * steps).tolist()],
                "InstanceNumber": len(files) + 1,
            }
            files.append(_dataset(stack[:, :, k], shared | at | elements))
        start += length
    paths = [folder / name.format(n + 1) for n in range(len(files))]
    order = range(len(files)) if order is None else order
    for path, index in zip(paths, order, strict=True):
        files[index].save_as(path, enforce_file_format=True)
    return paths


def _stack(volume, spacing, plane):
    """Slices of a volume, the place of the first voxel, a slice's step."""
    axes, backwards = plane
    lps = volume[::-1, ::-1]
    corner = -(np.array(volume.shape) - 1) / 2 * spacing
    stack = lps.transpose(axes)
    for place, (axis, back) in enumerate(zip(axes, backwards, strict=True)):
        if back:
            stack = np.flip(stack, place)
            corner[axis] *= -1
    sign = -1 if backwards[2] else 1
    return stack, corner, sign * np.eye(3)[axes[2]] * spacing[axes[2]]


def _shared(frames, plane, spacing) -> dict:
    """The elements that all files of a series share."""
    (column, row, depth), (left, up, _) = plane
    cosines = [
        *(np.eye(3)[column] * (-1 if left else 1)),
        *(np.eye(3)[row] * (-1 if up else 1)),
    ]
    shape = [frames[0].shape[axis] for axis in plane[0]]
    return {
        "SOPClassUID": PET,
        "SeriesInstanceUID": generate_uid(),
        "StudyInstanceUID": generate_uid(),
        "FrameOfReferenceUID": generate_uid(),
        "Modality": "PT",
        "Manufacturer": "SIEMENS",
        "PatientID": "P-01",
        "PatientName": "Doe^Jane",
        "PatientSex": "F",
        "PatientAge": "071Y",
        "PatientPosition": "HFS",
        "StudyDate": "20120505",
        "SeriesDate": "20120505",
        "AcquisitionDate": "20120505",
        "SeriesTime": clock(INJECTED + _START),
        "SeriesDescription": "PET Brain AC",
        "SeriesNumber": 3,
        "ImageType": ["ORIGINAL", "PRIMARY"],
        "Units": "BQML",
        "DecayCorrection": "START",
        "CorrectedImage": ["DECY", "ATTN", "SCAT"],
        "SeriesType": ["STATIC" if len(frames) == 1 else "DYNAMIC", "IMAGE"],
        "RadiopharmaceuticalInformationSequence": [agent()],
        "NumberOfSlices": shape[2],
        "Columns": shape[0],
        "Rows": shape[1],
        "PixelSpacing": [spacing[row], spacing[column]],
        "SliceThickness": spacing[depth],
        "ImageOrientationPatient": cosines,
    }


def _dataset(pixels, elements: dict) -> pydicom.Dataset:
    """One slice, columns first, as int16 with a slope of its own."""
    file = pydicom.Dataset()
    file.file_meta = FileMetaDataset()
    file.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file.SOPInstanceUID = generate_uid()
    slope = f"{max(float(pixels.max()), 1.0) / 32000:.8g}"
    file.RescaleSlope, file.RescaleIntercept = slope, 0
    file.SamplesPerPixel, file.PhotometricInterpretation = 1, "MONOCHROME2"
    file.BitsAllocated = file.BitsStored = 16
    file.HighBit, file.PixelRepresentation = 15, 1
    stored = np.round(pixels.T / float(slope)).astype("<i2")
    file.PixelData = stored.tobytes()
    for name, value in elements.items():
        if value is not None:
            setattr(file, name, value)
        elif name in file:
            delattr(file, name)
    return file
