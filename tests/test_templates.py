from html.parser import HTMLParser

from pet_dcgan.utils.templates import render

NASTY = "<script>alert(\"x\")</script> & 'q'"
PNG = b"\x89PNG\r\n\x1a\n..."


class Page(HTMLParser):
    """Every tag, attribute and text of a piece of HTML."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts, self.open = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag != "img":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, text):
        if text.strip():
            self.texts.append(text)


def card(**values):
    fixed = {"title": "a", "phantom": False, "facts": [("b", 1)]}
    return render("utils/card.html", **(fixed | values))


def test_every_text_is_escaped():
    html = card(
        title=NASTY,
        facts=[(NASTY, NASTY)],
        columns=[NASTY],
        rows=[[NASTY]],
        headline=NASTY,
        note=NASTY,
        picture=(NASTY, PNG),
    )
    page = Page(html)
    assert not page.open
    assert "script" not in {tag for tag, _ in page.tags}
    assert page.texts == [NASTY] * 7
    (picture,) = (found for tag, found in page.tags if tag == "img")
    assert picture["alt"] == NASTY
    assert picture["src"].startswith("data:image/png;base64,iVBOR")


def test_a_table_has_its_numbers_on_the_right():
    page = Page(card(columns=["stage", "n"], rows=[["AD", 3]], facts=[]))
    sides = [
        a["style"].split(";")[0] for t, a in page.tags if t in ("th", "td")
    ]
    assert sides == ["text-align:left", "text-align:right"] * 2
    assert page.texts == ["a", "stage", "n", "AD", "3"]


def test_only_a_phantom_and_only_a_png_are_shown_as_such():
    assert "Phantom" in card(phantom=True)
    assert Page(card(picture=("a", b"<svg onload=x>"))).texts == ["a", "b", "1"]
    assert "<img" not in card(picture=("a", b"<svg onload=x>"))
