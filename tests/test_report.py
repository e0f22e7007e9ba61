import copy
import html.parser
import re
import shutil
import subprocess

import pytest

from pet_dcgan.evaluation.report import KINDS, groups, metric_rows, report_page

CHROMIUM = next(
    filter(
        None,
        map(
            shutil.which,
            ("chromium", "chromium-browser", "google-chrome", "chrome"),
        ),
    ),
    None,
)
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
                    "standard_error": 0.0625,
                    "interval": [-1.0, 0.0001],
                },
                "real": None,
            }
        },
        "random": {"missing": "too few"},
        "other": {"kid": {}},
    },
    "bands": {"synthetic": {"top": {}, "bottom": {}}},
    "copies": {"twins": 261717.2, "held_out_twins": 0.0},
}
DASH = ("–", "")


@pytest.fixture(scope="module")
def page(evaluated):
    return (evaluated[0].evaluation / "report.html").read_text()


class Words(html.parser.HTMLParser):
    """The text of a page outside its style, and its tags."""

    def __init__(self, page):
        super().__init__()
        self.words, self.open, self.links = [], [], []
        self.feed(page)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "link", "img"):
            self.open.append(tag)
        self.links += [v for k, v in attrs if k in ("src", "href")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)


def rows():
    return {row.heading: row for group in groups(NUMBERS) for row in group.rows}


@pytest.mark.parametrize(
    ("heading", "synthetic", "real"),
    [
        ("PSNR, nearest (dB)", ("25.12", ""), DASH),
        ("KID", ("−0.500 ± 0.062", "[−1.000, 1.0e-04]"), DASH),
        ("Images with a twin", ("2.6e+05", ""), ("0.000", "")),
        ("Nearer to training", DASH, DASH),
        ("MS-SSIM", DASH, DASH),
    ],
)
def test_numbers_as_they_are_written(heading, synthetic, real):
    # the first: that of the trained encoder
    row = next(
        row
        for group in groups(NUMBERS)
        for row in group.rows
        if row.heading.startswith(heading)
    )
    minus = str.maketrans("-", "−")
    wanted = tuple(text.translate(minus) for text in synthetic)
    assert row.texts(NUMBERS, "synthetic") == wanted
    assert row.texts(NUMBERS, "real") == real


def test_tables_of_what_was_measured():
    titles = [group.title for group in groups(NUMBERS)]
    assert sum("All images together" in title for title in titles) == 2
    assert "by other" in titles[2]
    assert not any("random convolutions" in title for title in titles)
    assert "Uptake difference, bottom (SUVR)" in rows()
    assert "Uptake difference, front (SUVR)" not in rows()


def test_the_paper_is_quoted_for_its_two_metrics_only():
    quoted = {name.split(",")[0] for name, row in rows().items() if row.paper}
    assert quoted == {"PSNR", "SSIM (whole image)"}
    columns = [group.columns[-1] for group in groups(NUMBERS)]
    assert columns == ["paper"] + ["wanted"] * (len(columns) - 1)


def test_rows_of_the_console():
    columns, table = metric_rows({"AD": NUMBERS})
    assert len(columns) == 6
    assert table[0] == ["AD synthetic", "8", "25.12", "25.12", "25.123", "-"]
    assert table[1] == ["AD real (of other subjects)", "0", *["-"] * 4]


def test_whole_in_itself(page):
    found = Words(page)
    assert found.open == []
    assert found.links
    assert all(link.startswith("data:") for link in found.links)
    assert "<script" not in page
    assert not re.search(r"https?://|url\(|@import", page)


def test_the_assessment_comes_before_the_numbers(page, evaluated):
    text = Words(page).text
    order = [
        "PHANTOM",
        "Not for diagnosis",
        evaluated[1]["verdict"]["headline"],
        "What may be concluded",
        "What may not",
        "What was trained on what",
        "24 slices of 6 subjects",
        "PSNR, nearest",
        "32.83 dB",
        "77.48 %",
        "Bland-Altman",
        "Limits",
    ]
    places = [text.index(words) for words in order]
    assert places == sorted(places)


def test_every_number_of_the_tables_stands_on_the_page(page, evaluated):
    metrics, text = evaluated[1], Words(page).text
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
    assert "training.png" in pictures
    assert page.count("<img") == len(pictures)


def test_words_of_others_are_no_markup_and_scans_no_phantom(evaluated):
    metrics = copy.deepcopy(evaluated[1])
    metrics |= {"preset": "<b>&", "figures": {}, "phantom": False}
    metrics["features"] = {"trained": {"missing": "few"}}
    page = report_page(metrics, {})
    assert "&lt;b&gt;&amp;" in page
    text = Words(page).text
    assert "PHANTOM" not in text
    assert "slices of scans" in text
    assert "KID" not in text.replace("KID on validation", "").replace(
        metrics["verdict"]["findings"][1]["words"], ""
    )


def chromium(*options, page):
    command = [
        CHROMIUM,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--enable-logging=stderr",
        "--v=0",
        *options,
        page.as_uri(),
    ]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=240, check=True
    )


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")
def test_a_browser_renders_it_without_a_console_error(evaluated, tmp_path):
    page = evaluated[0].evaluation / "report.html"
    done = chromium("--dump-dom", page=page)
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    assert console == []
    assert "</html>" in done.stdout
    assert done.stdout.count("<img") == len(evaluated[1]["figures"])
    picture = tmp_path / "page.png"
    chromium(f"--screenshot={picture}", "--window-size=400,900", page=page)
    assert picture.stat().st_size > 20_000
    # what tells of an error, does
    broken = tmp_path / "broken.html"
    broken.write_text("<script>console.error('broken')</script>")
    assert "CONSOLE" in chromium("--dump-dom", page=broken).stderr
