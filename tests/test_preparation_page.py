"""The page of a prepared set: who comes first, and that nothing breaks it."""

import base64
import dataclasses
import html.parser
from pathlib import Path

import ida_tree
import numpy as np
import pytest

from tfds_adni.cohort.selection import ScanDecision
from tfds_adni.outliers import Oddity
from tfds_adni.parallel.examples import Outcome
from tfds_adni.preparation_page import Entry, numbers, render_page
from tfds_adni.sources import ScanRecord
from tfds_adni.volumes.brain import find_brain
from tfds_adni.volumes.normalisation import scale_to_suvr
from tfds_adni.volumes.sheet import Sheet, draw_sheet
from tfds_adni.volumes.slices import resample
from tfds_adni.volumes.volume import Volume


def entry(number=0, *, oddity=None, outcome=None, split="train", **record):
    known = {
        "subject": f"999_S_{9000 + number}",
        "image_id": str(900000 + number),
        "visit": "bl",
        "date": "2012-05-05",
    }
    decision = ScanDecision(
        record=ScanRecord(paths=(Path("a.nii"),), **known | record),
        stage="AD",
        tracer="FDG",
        level="unknown",
        label_source="DXSUM",
    )
    return Entry(
        decision=decision,
        outcome=outcome or used(number),
        split=split,
        oddity=oddity or Oddity(0.0),
    )


def used(number=0, **change):
    sheet = Sheet(
        picture="iVBORw0KGgo=",
        scale=4870.4,
        centre_mm=(0.6, -18.2, -0.2),
        mask_ml=1430.4,
        extent_mm=(132.0, 174.0, 141.0),
    )
    return Outcome(
        image_id=str(900000 + number), **{"frames": 1, "sheet": sheet} | change
    )


def skipped(number=0, reason="no brain found: 12 ml"):
    return Outcome(image_id=str(900000 + number), reason=reason)


class Reader(html.parser.HTMLParser):
    """Names of all tags, addresses of all images, the text."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.images, self.words = [], [], []
        self.feed(page.decode("ascii"))

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag == "img":
            self.images.append(dict(attrs)["src"])
        assert not [name for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data):
        if self.tags[-1:] != ["style"]:
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


def places(text, *words):
    found = [text.index(word) for word in words]
    assert found == sorted(found)


def test_what_stands_in_a_card():
    outcome = used(
        frames=6, flags=("6 frames averaged", "left and right assumed")
    )
    card = entry(outcome=outcome, oddity=Oddity(9.0, ("small: x", "noisy: y")))
    page = Reader(render_page([card], phantom=False))
    places(
        page.text,
        "999_S_9000 bl 2012-05-05",
        "small: x",
        "noisy: y",
        "6 frames averaged",
        "left and right assumed",
        "AD, train · image 900000 · label: DXSUM",
        "scale 4870 · centre 1 -18 0 mm · mask 1430 ml, 132 x 174 x 141 mm "
        "· 6 frames",
    )
    assert page.images == ["data:image/png;base64,iVBORw0KGgo="]


def test_order_skipped_odd_others():
    entries = [
        entry(1),
        entry(2, oddity=Oddity(6.0, ("small: x",))),
        entry(3, outcome=skipped(3)),
        entry(4, oddity=Oddity(60.0, ("small: y",))),
        entry(0),
    ]
    page = Reader(render_page(entries, phantom=False))
    places(
        page.text,
        "5 scans",
        "Skipped when they were read (1)",
        *("999_S_9003", "no brain found: 12 ml"),
        "Unlike the others (2)",
        *("999_S_9004", "999_S_9002", "All others (2)"),
        *("999_S_9001", "999_S_9000"),
    )
    # one without voxels has no picture, and none that is skipped a split
    assert len(page.images) == 4
    assert page.text.count("AD, train") == 4


def test_keepers_only_and_phantoms():
    for phantom in (True, False):
        page = Reader(render_page([entry()], phantom=phantom))
        assert page.text.index("For the keepers of the data only") < 200
        assert "do not share" in page.text
        assert ("PHANTOM" in page.text) == phantom
    assert "fewer than 8 scans" in page.text
    many = Reader(render_page([entry()] * 8, phantom=False))
    assert "five robust standard deviations" in many.text
    assert "0 scans" in Reader(render_page([], phantom=False)).text


HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=y>&amp;{{ 7*7 }}"


def test_hostile_text_is_text():
    record = dict.fromkeys(("subject", "image_id", "visit", "date"), HOSTILE)
    outcome = dataclasses.replace(skipped(reason=HOSTILE), flags=(HOSTILE, "é"))
    odd = entry(oddity=Oddity(9.0, (HOSTILE,)), **record)
    page = Reader(
        render_page([entry(outcome=outcome, **record), odd], phantom=False)
    )
    assert "script" not in page.tags
    assert page.tags.count("img") == 1
    assert page.text.count(HOSTILE) >= 2 * 4
    assert "49" not in page.text


def test_names_that_are_no_text():
    page = render_page([entry(image_id="sub-\udcff_pét")], phantom=False)
    assert rb"sub-\xff_p&#233;t" in page


def test_needs_no_network_and_fits_a_phone():
    page = render_page([entry()], phantom=False).decode()
    assert "http" not in page
    assert "width=device-width" in page
    assert "prefers-color-scheme: dark" in page
    assert "min(100%, 21.4rem)" in page


def test_numbers_of_the_account():
    assert numbers(used()) == {
        "scale": "4870",
        "centre_mm": "1 -18 0",
        "mask_ml": "1430",
    }
    none = {"scale": "", "centre_mm": "", "mask_ml": ""}
    assert numbers(skipped()) == none
    drawn = dataclasses.replace(skipped(), sheet=used().sheet)
    assert numbers(drawn) == none


@pytest.mark.parametrize(("scans", "megabytes"), [(100, 0.5), (2000, 10)])
def test_size(scans, megabytes):
    """Of noisy heads, since noise packs badly."""
    volume = Volume(data=ida_tree.head(), spacing=(ida_tree.SPACING,) * 3)
    found = find_brain(volume)
    brain = resample(scale_to_suvr(volume, found), 1.5)
    noise = np.random.default_rng(0).normal(0, 0.15, brain.suvr.shape)
    brain = dataclasses.replace(brain, suvr=brain.suvr + noise)
    sheet = draw_sheet(volume, found, brain, scale=found.mean)
    assert len(base64.b64decode(sheet.picture)) > 3000
    entries = [entry(n, outcome=used(n, sheet=sheet)) for n in range(scans)]
    page = render_page(entries, phantom=False)
    assert len(page) < megabytes * 1e6
