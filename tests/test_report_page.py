import copy
import html.parser
import re
import shutil
import subprocess

import pytest
from toy_cohort import cohort_run
from toy_run import make_run as make_toy_run

from pet_dcgan.evaluation.evaluate import evaluate
from pet_dcgan.evaluation.report import report_page
from pet_dcgan.evaluation.report_rows import groups

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


@pytest.fixture(scope="module")
def judged(toy_cohort, quick_encoder, tmp_path_factory):
    """An evaluated run with intervals: its folder and its numbers."""
    place = tmp_path_factory.mktemp("page") / "run"
    run = cohort_run(place, toy_cohort)
    (run.path / "log.csv").write_text(
        "epoch,d_loss,g_loss\n1,1.2,0.8\n2,1.1,0.9\n"
    )
    return run.evaluation, evaluate(run)


@pytest.fixture
def page(judged):
    return (judged[0] / "report.html").read_text()


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


def test_whole_in_itself(page):
    found = Words(page)
    assert found.open == []
    assert found.links
    assert all(link.startswith("data:") for link in found.links)
    assert "<script" not in page
    assert not re.search(r"https?://|url\(|@import", page)


def test_the_verdict_comes_before_the_numbers(page, judged):
    text = Words(page).text
    order = [
        "PHANTOM",
        "Not for diagnosis",
        judged[1]["verdict"]["headline"],
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


def as_written(value, digits):
    if abs(value) >= 10_000:
        return f"{value:.1e}".replace("-", "−")
    return f"{value:.{digits}f}".replace("-", "−")


def test_every_number_of_the_tables_is_that_of_the_json(page, judged):
    _, metrics = judged
    text = Words(page).text
    shown = 0
    for group in groups(metrics):
        for row in group.rows:
            for kind in ("synthetic", "real"):
                found = row.number(metrics, kind)
                if not isinstance(found, dict):
                    continue
                value = found.get("mean", found.get("value"))
                written = as_written(value, row.digits)
                if float(written.replace("−", "-")) or not value:
                    assert written in text, row.label
                low, high = found["interval"] or (None, None)
                if low is not None:
                    shown += 1
                    assert as_written(high, row.digits) in text
    assert shown > 30


def test_page_is_made_of_the_numbers_and_pictures_alone(page, judged):
    folder, metrics = judged
    pictures = {n: (folder / n).read_bytes() for n in metrics["figures"]}
    assert report_page(metrics, pictures) == page
    assert set(pictures) == {p.name for p in folder.glob("*.png")}
    assert "training.png" in pictures
    assert page.count("<img") == len(pictures)


def test_what_is_not_a_phantom_is_not_called_one(judged):
    _, metrics = judged
    pictures = dict.fromkeys(metrics["figures"], b"")
    text = Words(report_page(metrics | {"phantom": False}, pictures)).text
    assert "PHANTOM" not in text
    assert "slices of scans" in text


def test_words_of_others_are_no_markup(judged):
    _, metrics = judged
    metrics = metrics | {"preset": "<b>&", "figures": {}}
    assert "&lt;b&gt;&amp;" in report_page(metrics, {})


def test_numbers_without_end_are_powers_of_ten(judged):
    _, metrics = judged
    metrics = copy.deepcopy(metrics)
    metrics["spectrum"]["checkerboard"]["synthetic"]["value"] = 261717.2
    text = Words(report_page(metrics | {"figures": {}}, {})).text
    assert "2.6e+05" in text
    assert "261717" not in text


def test_missing_numbers_are_dashes(toy_set, quick_encoder, tmp_path):
    run = make_toy_run(tmp_path / "run", toy_set)
    metrics = evaluate(run)
    text = Words((run.evaluation / "report.html").read_text()).text
    assert "KID" not in text.replace("KID on validation", "")
    assert "16 images of each kind" in text
    assert metrics["features"]["trained"]["missing"]
    assert "No 95 % intervals over subjects".replace(" %", "%") in text


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
def test_a_browser_renders_it_without_a_console_error(judged, tmp_path):
    page = judged[0] / "report.html"
    done = chromium("--dump-dom", page=page)
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    assert console == []
    assert "</html>" in done.stdout
    assert done.stdout.count("<img") == len(judged[1]["figures"])
    picture = tmp_path / "page.png"
    chromium(f"--screenshot={picture}", "--window-size=400,900", page=page)
    assert picture.stat().st_size > 20_000


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")
def test_the_browser_would_tell_of_an_error(tmp_path):
    page = tmp_path / "broken.html"
    page.write_text("<script>console.error('broken')</script>")
    assert "CONSOLE" in chromium("--dump-dom", page=page).stderr
