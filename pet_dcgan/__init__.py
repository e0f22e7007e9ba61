"""From brain PET scans to trained, judged and served generators."""

__version__ = "0.1.0"
