"""The sections of an XML file of the IDA, read in one pass.

A file may be anybody's: it is read by expat itself, element by element, so
that the time grows with its size alone, and no tree is built. A document type
is refused, since it can declare entities, which grow without bound or read
other files.
"""

import dataclasses
from xml.parsers import expat

# Real files have some kilobytes, and ten elements within one another.
MAX_BYTES = 2**20
MAX_DEPTH = 50
_SECTIONS = ("subject", "study", "series")
# Elements that are told apart by one of their attributes.
_MARKED = {"subjectInfo": "item", "protocol": "term"}
# Where the other ones are: names of elements, the outer one first.
_PLACES = frozenset(
    (
        *("modality", "dateAcquired", "study/subjectAge"),
        *("subject/subjectIdentifier", "subject/subjectSex"),
        *("subject/researchGroup", "subject/visit/visitIdentifier"),
        *("derivedProduct/imageUID", "derivedProduct/processedDataLabel"),
        *("imagingProtocol/imageUID", "imagingProtocol/description"),
    )
)
_LONGEST = 3  # names in a place


@dataclasses.dataclass
class Section:
    """A subject, one of its studies, or a series of a study.

    Attributes:
        texts: The first text at each place inside it, by the place.
        parts: The studies of a subject, the series of a study.
    """

    texts: dict[str, str] = dataclasses.field(default_factory=dict)
    parts: list["Section"] = dataclasses.field(default_factory=list)

    def first(self, *places: str) -> str:
        """Returns the first text that is there, `""` where none is.

        Args:
            *places: Such as `derivedProduct/imageUID` or `subjectInfo=DX
                Group`, the preferred one first.
        """
        texts = (self.texts.get(place, "") for place in places)
        return next(filter(None, texts), "")


def subjects_of(data: bytes) -> list[Section]:
    """Reads the subjects of a file, in its order.

    Args:
        data: The file, UTF-8.

    Returns:
        None where the file is XML of something else.

    Raises:
        ValueError: If it is no XML, declares a document type, or has elements
            within one another more than 50 times.
    """
    reader = _Reader()
    # The parser gets text, so that no declaration names another encoding.
    try:
        reader.parser.Parse(data.decode("utf-8-sig"), True)
    except (UnicodeError, expat.ExpatError):
        raise ValueError("it is not XML") from None
    return reader.subjects if reader.root == "idaxs" else []


class _Reader:
    """Collects the sections while the parser passes through a file."""

    def __init__(self) -> None:
        # Without namespaces: each name would come with all of its address,
        # which may be most of a file.
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.StartElementHandler = self._begin
        self.parser.CharacterDataHandler = self._add
        self.parser.EndElementHandler = self._end
        self.root = ""
        self.subjects: list[Section] = []
        self._names: list[str] = []
        self._marks: list[str] = []
        # The text of the innermost element, as long as nothing is inside it.
        self._text: list[str] | None = None
        self._open: dict[str, list[Section]] = {n: [] for n in _SECTIONS}

    def _refuse(self, *_: object) -> None:
        raise ValueError("it declares a document type")

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        """Notes that an element begins."""
        name = name.rpartition(":")[2]
        self.root = self.root or name
        if len(self._names) == MAX_DEPTH:
            raise ValueError(
                f"elements within one another more than {MAX_DEPTH} times"
            )
        # The text of the outer one ends where this one begins.
        self._close_text()
        self._names.append(name)
        self._marks.append(attributes.get(_MARKED.get(name, ""), ""))
        self._text = []
        if name in _SECTIONS:
            self._begin_section(name)

    def _begin_section(self, name: str) -> None:
        """Adds a section to the one around it; one without any is lost."""
        section = Section()
        level = _SECTIONS.index(name)
        if not level:
            self.subjects.append(section)
        elif around := self._open[_SECTIONS[level - 1]]:
            around[-1].parts.append(section)
        self._open[name].append(section)

    def _add(self, text: str) -> None:
        """Adds a piece of text to the innermost element."""
        if self._text is not None:
            self._text.append(text)

    def _end(self, _: str) -> None:
        """Notes that the innermost element ends."""
        self._close_text()
        self._marks.pop()
        name = self._names.pop()
        if name in _SECTIONS:
            self._open[name].pop()

    def _close_text(self) -> None:
        """Keeps the text of the innermost element, where it is at a place."""
        if self._text is None:
            return
        for place in self._places():
            for sections in self._open.values():
                if sections:
                    text = "".join(self._text).strip()
                    sections[-1].texts.setdefault(place, text)
        self._text = None

    def _places(self) -> list[str]:
        """Returns the places that the innermost element is at."""
        name = self._names[-1]
        if name in _MARKED:
            return [f"{name}={self._marks[-1]}"]
        ends = (self._names[-n:] for n in range(1, _LONGEST + 1))
        return [p for end in ends if (p := "/".join(end)) in _PLACES]
