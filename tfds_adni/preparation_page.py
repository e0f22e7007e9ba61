"""The page of a prepared data set: a sheet of every scan, outliers first.

It shows subjects' images and ids, so it lies in the data set's folder and
nowhere else; metadata, runs and exports hold none of it.
"""

import dataclasses
from collections.abc import Sequence

import jinja2

from tfds_adni.cohort.selection import ScanDecision
from tfds_adni.outliers import MIN_SCANS, Oddity
from tfds_adni.parallel.examples import Outcome
from tfds_adni.printable import printable
from tfds_adni.volumes.sheet import PIXEL_MM, SUVR_MAX
from tfds_adni.volumes.templates import CENTRE_MM, NATIVE


@dataclasses.dataclass(frozen=True, kw_only=True)
class Entry:
    """One scan on the page.

    Attributes:
        decision: The scan and its stage.
        outcome: What cutting it gave.
        split: The one it belongs to.
        oddity: How unlike the others it is.
    """

    decision: ScanDecision
    outcome: Outcome
    split: str
    oddity: Oddity


def render_page(
    entries: Sequence[Entry],
    *,
    phantom: bool,
    volumes: bool = False,
    space: str = NATIVE,
    registered: bool = False,
) -> bytes:
    """Writes the page: skipped scans, then outliers, then all others.

    Args:
        entries: The scans that were read, in the order of the account.
        phantom: Whether they are a phantom's.
        volumes: Whether volumes were cut, not slices.
        space: The space they lie in, a template's or `"native"`.
        registered: Whether they were brought there by registration.

    Returns:
        HTML in ASCII; every text of the user's files is escaped. It needs no
        network and has no script.
    """
    skipped = [e for e in entries if e.outcome.reason]
    odd = [e for e in entries if e.oddity.words and not e.outcome.reason]
    odd.sort(key=lambda entry: -entry.oddity.score)
    first = {id(entry) for entry in (*skipped, *odd)}
    groups = {
        "Skipped when they were read": skipped,
        "Unlike the others": odd,
        "All others": [e for e in entries if id(e) not in first],
    }
    page = _template().render(
        phantom=phantom,
        cut="volumes" if volumes else "slices",
        template="" if space == NATIVE else space,
        template_mm=CENTRE_MM,
        registered=registered,
        scans=len(entries),
        judged=len(entries) - len(skipped) >= MIN_SCANS,
        least=MIN_SCANS,
        pixel_mm=PIXEL_MM,
        suvr_max=SUVR_MAX,
        groups={
            title: [_card(entry) for entry in group]
            for title, group in groups.items()
            if group
        },
    )
    return page.encode("ascii", "xmlcharrefreplace")


def numbers(outcome: Outcome) -> dict[str, str]:
    """Returns the numbers of a scan as text, for the account.

    Returns:
        `scale`, `centre_mm` (x, y and z, apart by spaces) and `mask_ml`,
        empty for a scan that is not used.
    """
    sheet = outcome.sheet
    if outcome.reason or sheet is None:
        return {"scale": "", "centre_mm": "", "mask_ml": ""}
    return {
        "scale": f"{sheet.scale:.4g}",
        # + 0.0 makes 0 of a rounded -0
        "centre_mm": " ".join(f"{round(c) + 0.0:.0f}" for c in sheet.centre_mm),
        "mask_ml": f"{sheet.mask_ml:.0f}",
    }


def _card(entry: Entry) -> dict:
    """Returns what the template shows of a scan."""
    record, outcome = entry.decision.record, entry.outcome
    texts = (record.subject, record.visit, record.date)
    reason = (outcome.reason,) if outcome.reason else ()
    return {
        "name": " ".join(printable(text) for text in texts if text),
        "image_id": printable(record.image_id),
        "stage": entry.decision.stage,
        "split": "" if outcome.reason else entry.split,
        "label_source": printable(entry.decision.label_source),
        "frames": outcome.frames,
        "similarity": f"{outcome.similarity:.2f}" if outcome.similarity else "",
        "picture": outcome.sheet.picture if outcome.sheet else "",
        "extent": [f"{v:.0f}" for v in _extent(outcome)],
        "faults": [printable(w) for w in (*reason, *entry.oddity.words)],
        "flags": outcome.flags,
        **numbers(outcome),
    }


def _extent(outcome: Outcome) -> tuple[float, ...]:
    """Returns the mask's size in mm, empty where there is none."""
    return outcome.sheet.extent_mm if outcome.sheet else ()


def _template() -> jinja2.Template:
    """Loads the page's template."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("tfds_adni", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("scans.html")
