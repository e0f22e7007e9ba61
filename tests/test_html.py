from html.parser import HTMLParser

from pet_dcgan.utils.html import card, facts, note, picture, table

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
        self.texts.append(text)


def test_every_text_is_escaped():
    parts = (facts([(NASTY, NASTY)]), table([NASTY], [[NASTY]]), note(NASTY))
    html = card(NASTY, *parts, picture(PNG, NASTY))
    page = Page(html)
    assert not page.open
    assert {tag for tag, _ in page.tags}.isdisjoint({"script"})
    assert page.texts == [NASTY] * 6
    assert page.tags[-1][1]["alt"] == NASTY


def test_a_table_has_its_numbers_on_the_right():
    page = Page(table(["stage", "n"], [["AD", 3]]))
    sides = [
        a["style"].split(";")[0] for t, a in page.tags if t in ("th", "td")
    ]
    assert sides == ["text-align:left", "text-align:right"] * 2
    assert page.texts == ["stage", "n", "AD", "3"]


def test_only_a_phantom_and_only_a_png_are_shown_as_such():
    assert "Phantom" in card("a", phantom=True)
    assert "Phantom" not in card("a")
    assert picture(b"<svg onload=x>", "a") == ""
    assert "data:image/png;base64," in picture(PNG, "a")
