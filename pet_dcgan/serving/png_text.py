"""What every synthetic PNG says of itself, in text chunks.

PNG specification, third edition, sections 5.3 (chunks) and 11.3.3 (text).
"""

import struct
import zlib
from collections.abc import Mapping

from pet_dcgan.serving.model_info import ModelInfo

PNG_HEAD = 8 + 25  # bytes of any PNG before the second chunk


def description(facts: ModelInfo) -> str:
    """What an image is, in words of at most 79 letters."""
    phantom = " phantom" if facts.phantom else ""
    return f"synthetic{phantom} PET slice, not for diagnosis"


def png_notes(facts: ModelInfo) -> dict[str, str]:
    """Keywords and texts that are the same for all images of a model."""
    return {
        "Description": description(facts),
        "synthetic": "true",
        "phantom": str(facts.phantom).lower(),
        "stage": facts.stage,
        "plane": facts.plane,
        "suvr_max": str(facts.suvr_max),
        "spacing_mm": str(facts.spacing_mm),
    }


def text_chunks(notes: Mapping[str, str]) -> bytes:
    """The chunks that stand behind the first `PNG_HEAD` bytes of a PNG.

    Args:
        notes: Keyword (1 to 79 characters) to text, both Latin-1.
    """
    chunks = []
    for key, text in notes.items():
        content = f"{key}\0{text}".encode("latin-1")
        chunks += [
            struct.pack(">I", len(content)),
            b"tEXt",
            content,
            struct.pack(">I", zlib.crc32(b"tEXt" + content)),
        ]
    return b"".join(chunks)
