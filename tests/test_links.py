"""Links of the pages: what lies here is there, what lies elsewhere is one."""

import re
import urllib.parse

import pytest
from pages import PAGES, ROOT, prose

LINK = re.compile(
    r"\[(?:[^\]\[]|\[[^\]]*\])*\]\(([^)\s]+)\)|<(https?://[^>]+)>"
)
HEADING = re.compile(r"^#{1,6} +(.+?)\s*$", re.M)
HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
DOI = re.compile(r"10\.\d{4,9}/\S+")


def links(page):
    return [a or b for a, b in LINK.findall(prose(page))]


def anchors(page):
    """The anchors that GitHub gives the headings of a page."""
    found = set()
    for heading in HEADING.findall(prose(page)):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        text = re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
        number = 0
        while (f"{text}-{number}" if number else text) in found:
            number += 1
        found.add(f"{text}-{number}" if number else text)
    return found


LOCAL = [
    pytest.param(page, link, id=f"{page.name}-{link}")
    for page in PAGES
    for link in links(page)
    if "://" not in link and not link.startswith("mailto:")
]
OTHERS = sorted({link for page in PAGES for link in links(page) if ":" in link})


@pytest.mark.parametrize(("page", "link"), LOCAL)
def test_a_link_inside_leads_somewhere(page, link):
    path, _, anchor = link.partition("#")
    target = (page.parent / urllib.parse.unquote(path)) if path else page
    assert target.resolve().is_relative_to(ROOT)
    assert target.exists()
    if anchor:
        assert anchor in anchors(target)


@pytest.mark.parametrize("link", OTHERS)
def test_a_link_outside_is_well_formed(link):
    parts = urllib.parse.urlsplit(link)
    assert parts.scheme == "https" or parts.netloc.startswith(
        ("localhost", "127.0.0.1")
    )
    assert HOST.fullmatch(parts.hostname)
    if parts.hostname == "doi.org":
        assert DOI.fullmatch(parts.path[1:])


def test_headings_as_github_names_them(tmp_path):
    page = tmp_path / "a.md"
    page.write_text("# A `b`, c & d\n\n## A\n## A\n```\n# no heading\n```\n")
    assert anchors(page) == {"a-b-c--d", "a", "a-1"}


def test_every_page_is_in_the_index():
    index = ROOT / "docs" / "README.md"
    listed = {(index.parent / link).resolve() for link in links(index)}
    assert {*ROOT.glob("docs/*.md")} - {index} <= listed


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_every_module_named_on_a_page_exists(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    named = re.findall(r"`((?:pet_dcgan|tfds_adni)/[\w/]+\.py)`", text)
    assert named
    assert [path for path in named if not (ROOT / path).is_file()] == []
