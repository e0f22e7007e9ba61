"""The pages of the repository, taken apart for tests."""

import dataclasses
import re
import shlex
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/*.md"),
        *ROOT.glob("export/**/*.md"),
        *ROOT.glob("notebooks/*.md"),
        ROOT / "tfds_adni" / "README.md",
    ]
)
_FENCE = re.compile(r"^```(\S*)[^\n]*\n(.*?)^```\s*$", re.M | re.S)
_SPAN = re.compile(r"`([^`\n]+)`")
# models that are served are somewhere else
_NOT_FOR_RUN = re.compile(r"<!-- not run[^>]*-->\s*\Z")


@dataclasses.dataclass(frozen=True)
class Block:
    """Code between fences.

    Attributes:
        page: Where it stands.
        line: Number of its first line.
        language: What stands behind the first fence, such as `python`.
        text: The code.
        marked: Whether a comment before it says that it is not run.
    """

    page: Path
    line: int
    language: str
    text: str
    marked: bool

    @property
    def place(self) -> str:
        """Page and line, to find it by."""
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    def commands(self) -> list[list[str]]:
        """The words of each `pet-dcgan` command, without the program."""
        lines = self.text.replace("\\\n", " ").splitlines()
        found = []
        for line in lines:
            line = line.strip().removeprefix("$ ")
            if line.startswith("pet-dcgan ") and not _is_output(line):
                found.append(shlex.split(line, comments=True)[1:])
        return found


def _is_output(line: str) -> bool:
    """Whether a line is what the program says: `pet-dcgan: ...`."""
    return line.startswith("pet-dcgan:")


def blocks(*languages: str) -> list[Block]:
    """Every block of some languages; `""` for those without one."""
    return [
        block
        for page in PAGES
        for block in blocks_of(page)
        if block.language in languages
    ]


def blocks_of(page: Path) -> list[Block]:
    """Every block of one page."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(
            page=page,
            line=text.count("\n", 0, match.start(2)) + 1,
            language=match[1],
            text=match[2],
            marked=bool(_NOT_FOR_RUN.search(text[: match.start()])),
        )
        for match in _FENCE.finditer(text)
    ]


def prose(page: Path) -> str:
    """A page without its blocks."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def spans(page: Path) -> list[str]:
    """What stands between single backticks."""
    return _SPAN.findall(prose(page))
