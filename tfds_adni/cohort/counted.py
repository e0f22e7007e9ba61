"""Sentences about one scan, made from sentences about several."""

import re

_VERBS = {
    "are": "is",
    "cover": "covers",
    "do": "does",
    "have": "has",
    "look": "looks",
    "name": "names",
    "were": "was",
}
_ONE = re.compile(
    r"(?<![\d.,])1( more)? (scan|row|subject)s\b"
    rf"(?: ({'|'.join(_VERBS)})\b)?"
)


def counted(text: str) -> str:
    """Puts nouns after a 1, and their verbs, into the singular.

    Args:
        text: As `1 scans have frames`; several of anything stay as they are.
    """

    def singular(found: re.Match) -> str:
        more, noun, verb = found.groups("")
        return f"1{more} {noun}" + (f" {_VERBS[verb]}" if verb else "")

    return _ONE.sub(singular, text)
