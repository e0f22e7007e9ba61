import copy
import html.parser
import shutil
import subprocess

import pytest

from pet_dcgan.evaluation.report import metric_rows, report_page
from pet_dcgan.evaluation.report_tables import KINDS, groups
from pet_dcgan.utils.templates import render

BROWSERS = "chromium", "chromium-browser", "google-chrome", "chrome"
CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), None)
SUMMARY = {"mean": 25.1234, "median": 25.0, "sd": 1.5, "n": 8}
NUMBERS = {
    "psnr": {
        "synthetic": {"nearest": SUMMARY, "random": SUMMARY},
        "real": None,
    },
    "ssim": {
        "synthetic": {"nearest": SUMMARY, "random": {"mean": None, "n": 0}},
        "real": None,
    },
    "features": {
        "trained": {
            "kid": {
                "synthetic": {
                    "value": -0.5,
                    "interval": [-1.0, 0.0001],
                },
                "real": None,
            }
        },
        "random": {"missing": "too few"},
        "other": {"kid": {}},
    },
    "regions": {
        **{
            name: {"synthetic": {"top": {}}}
            for name in ("mean", "sd", "difference")
        },
        "asymmetry": None,
    },
    "copies": {
        "suspects": 261717,
        "held_out_suspects": 0.0,
        "mixtures": {"synthetic": 0.25, "held_out": 0.125},
    },
}
NUMBERS["membership"] = {
    "missing": None,
    "auc": {"value": 0.5, "interval": [0.25, 0.75]},
    "true_positives_at_1_percent": None,
}
DASH = ("–", "")
NASTY = "<script>alert(\"x\")</script> & 'q'"


@pytest.fixture(scope="module")
def page(evaluated):
    return (evaluated[0].evaluation / "report.html").read_text()


class Page(html.parser.HTMLParser):
    """Every tag and text of a piece of HTML, whose elements are all closed."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts, self.open = [], [], []
        self.feed(text)
        assert not self.open
        self.text = " ".join(" ".join(self.texts).split())

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in ("meta", "link", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, text):
        if text.strip() and "style" not in self.open:
            self.texts.append(text)


def rows():
    """The first row of each heading."""
    found = [row for group in groups(NUMBERS) for row in group.rows]
    return {row.heading: row for row in reversed(found)}


@pytest.mark.parametrize(
    ("heading", "synthetic", "real"),
    [
        ("PSNR, nearest (dB)", ("25.12", ""), DASH),
        ("KID", ("−0.500", "[−1.000, 1.0e−04]"), DASH),
        (
            "Suspected copies",
            ("2.6e+05", ""),
            DASH,
        ),
        ("Share of suspects among real images", DASH, ("0.0000", "")),
        ("Share of mixtures of two subjects", ("0.250", ""), ("0.125", "")),
        ("Nearer to training images than held-out ones are", DASH, DASH),
        ("MS-SSIM between images", DASH, DASH),
    ],
)
def test_numbers_as_they_are_written(heading, synthetic, real):
    row = rows()[heading]
    assert row.texts(NUMBERS, "synthetic") == synthetic
    assert row.texts(NUMBERS, "real") == real


def test_tables_of_what_was_measured_and_what_the_paper_states():
    titles = [group.title for group in groups(NUMBERS)]
    assert sum("All images together" in title for title in titles) == 2
    assert "by other" in titles[2]
    assert not any("random convolutions" in title for title in titles)
    assert "Mean uptake, top (SUVR)" in rows()
    assert "Mean uptake, front (SUVR)" not in rows()
    assert "Left against right" not in titles
    quoted = {name.split(",")[0] for name, row in rows().items() if row.paper}
    assert quoted == {"PSNR", "SSIM (whole image)"}
    columns = [group.columns[-1] for group in groups(NUMBERS)]
    assert columns == ["paper"] + ["wanted"] * (len(columns) - 1)


def test_rows_of_the_console():
    columns, table = metric_rows({"AD": NUMBERS})
    assert columns[-2:] == ["KID", "recall"]
    scores = ["25.12", "25.12", "25.123", "-"]
    assert table[0][:6] == ["AD synthetic", "8", *scores]
    assert table[1][:6] == ["AD real (of other subjects)", "0", *["-"] * 4]
    assert {len(row) for row in table} == {len(columns)}


def test_a_page_needs_no_network_and_states_its_assessment_first(
    page, evaluated
):
    found = Page(page)
    links = [a[k] for _, a in found.tags for k in ("src", "href") if k in a]
    assert links
    assert all(link.startswith("data:") for link in links)
    for outside in ("<script", "http://", "https://", "url(", "@import"):
        assert outside not in page
    order = [
        "PHANTOM",
        "Not for diagnosis",
        evaluated[1]["assessment"]["headline"],
        "What may be concluded",
        "What may not",
        "Training and evaluation data",
        "24 slices of 6 subjects",
        "PSNR, nearest",
        "32.83 dB",
        "77.48 %",
        "Bland-Altman",
        "Limits",
    ]
    places = [found.text.index(words) for words in order]
    assert places == sorted(places)


def test_every_number_of_the_tables_stands_on_the_page(page, evaluated):
    metrics, text = evaluated[1], Page(page).text
    intervals = 0
    for group in groups(metrics):
        for row in group.rows:
            for kind in KINDS:
                value, interval = row.texts(metrics, kind)
                assert f"{value} {interval}".strip() in text
                intervals += bool(interval)
    assert intervals > 30


def test_page_is_made_of_the_numbers_and_pictures_alone(page, evaluated):
    run, metrics = evaluated
    folder = run.evaluation
    pictures = {n: (folder / n).read_bytes() for n in metrics["figures"]}
    assert report_page(metrics, pictures) == page
    assert set(pictures) == {p.name for p in folder.glob("*.png")}
    assert page.count("<img") == len(pictures)


def test_words_of_others_are_no_markup_and_scans_no_phantom(evaluated):
    metrics = copy.deepcopy(evaluated[1])
    metrics |= {"preset": "<b>&", "figures": {}, "phantom": False}
    page = report_page(metrics, {})
    assert "&lt;b&gt;&amp;" in page
    assert "PHANTOM" not in page
    assert "slices of scans" in page


def card(**values):
    fixed = {"title": "a", "phantom": False, "facts": [("b", 1)]}
    return render("utils/card.html", **(fixed | values))


def test_every_text_of_a_notebook_card_is_escaped():
    page = Page(
        card(
            title=NASTY,
            facts=[(NASTY, NASTY)],
            columns=[NASTY],
            rows=[[NASTY]],
            headline=NASTY,
            note=NASTY,
            picture=(NASTY, b"\x89PNG\r\n\x1a\n..."),
        )
    )
    assert "script" not in {tag for tag, _ in page.tags}
    assert page.texts == [NASTY] * 7
    (picture,) = (found for tag, found in page.tags if tag == "img")
    assert picture["alt"] == NASTY
    assert picture["src"].startswith("data:image/png;base64,iVBOR")


def test_a_card_with_a_table_a_phantom_and_no_png():
    page = Page(card(columns=["stage", "n"], rows=[["AD", 3]], facts=[]))
    sides = [
        a["style"].split(";")[0] for t, a in page.tags if t in ("th", "td")
    ]
    assert sides == ["text-align:left", "text-align:right"] * 2
    assert page.texts == ["a", "stage", "n", "AD", "3"]
    assert "Phantom" in card(phantom=True)
    page = Page(card(picture=("a", b"<svg onload=x>")))
    assert page.texts == ["a", "b", "1"]
    assert "img" not in {tag for tag, _ in page.tags}


def console(page):
    """The lines that a browser writes to its console."""
    options = "--headless --no-sandbox --disable-gpu --dump-dom --v=0"
    command = [CHROMIUM, *options.split(), "--enable-logging=stderr"]
    done = subprocess.run(
        [*command, page.as_uri()],
        capture_output=True,
        text=True,
        timeout=240,
        check=True,
    )
    assert "</html>" in done.stdout
    return [line for line in done.stderr.splitlines() if "CONSOLE" in line]


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")
def test_a_browser_renders_it_without_a_console_error(evaluated, tmp_path):
    assert console(evaluated[0].evaluation / "report.html") == []
    broken = tmp_path / "broken.html"
    broken.write_text("<script>console.error('broken')</script>")
    assert console(broken)


@pytest.mark.parametrize(
    ("reference", "found"), [("brain", True), ("mask", False), ("none", False)]
)
def test_mean_scaled_values_are_called_so(evaluated, reference, found):
    metrics = copy.deepcopy(evaluated[1]) | {"reference": reference}
    page = report_page(metrics, dict.fromkeys(metrics["figures"], b""))
    assert ("mean-scaled" in page) is found
