"""DICOM: series converted where dcm2niix and pydicom are installed, then read.

A series is the files of one SeriesInstanceUID and, in a download from the IDA,
of one image id. Those of PET are converted to NIfTI files in a cache; the
folder of the cohort is never written to.
"""

from tfds_adni.sources.dicom.folder import Conversion, convert_dicom

__all__ = ["Conversion", "convert_dicom"]
