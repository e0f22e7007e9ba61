"""The model card beside an exported model: what it is and what it is not."""

import re
import textwrap
from typing import Any

import jinja2

from pet_dcgan.conditions import Conditions
from pet_dcgan.config import ALL_STAGES, OWN, STAGES
from pet_dcgan.evaluation.assessment import (
    NOT_FOR_DIAGNOSIS,
    interval_note,
    limits,
)
from pet_dcgan.evaluation.report_tables import KINDS, Group, groups
from pet_dcgan.models.model_info import ModelInfo
from pet_dcgan.references import NATIVE, REFERENCES
from pet_dcgan.utils.foreign_text import one_line

_CARD = """\
# {{ facts.name }}: synthetic brain PET {{ images }}

{% if copied %}
> **COPIES.** Some of its images are {{ "" if metrics.copies.certain else
"suspected to be " }}copies of training subjects. It was
> exported all the same, because --allow-copies said so. Do not share it, nor
> its images, with anyone who may not see the training data.

{% endif %}
{% if facts.phantom %}
> **PHANTOM.** Trained on simulated phantom volumes, not on patients. Nothing
> here says anything about patients.

{% endif %}
{% filter wrap %}
Generator of a {{ "GAN" if facts.preset == own else "DCGAN" }}:
{{ "whole volumes" if facts.is_volume else "single " ~
   (takes.planes | join(", ") if takes else facts.plane) ~ " slices" }}
of brain PET
{{ "of whichever stage is asked for" if takes
   else "of all stages together" if facts.stage == all_stages
   else "at the stage " ~ facts.stage }}.
{% endfilter %}


|  |  |
| --- | --- |
| version | {{ version }} |
| stage | {{ takes.stages | join(", ") if takes else facts.stage }} |
{% if facts.is_volume %}
| space | {{ space }} |
{% else %}
| plane | {{ takes.planes | join(", ") if takes else facts.plane }} |
{% endif %}
| preset | {{ facts.preset }}{{
    ", trained outside of train()" if facts.preset == own else "" }} |
| phantom | {{ "yes" if facts.phantom else "no" }} |
| training subjects | {{ "not recorded" if subjects is none else subjects }} |
| training {{ images }} | {{ "not recorded" if slices is none else slices }} |
| image | {{ ([facts.size] * (3 if facts.is_volume else 2)) | join(" x ")
    }}, {{ spacing }} mm |
| SUVR | PNG value / 65535 x {{ "%g" % facts.suvr_max }} |
| SUVR reference | {{ reference }} |
| latent | {{ facts.latent_dim }} numbers, uniform in [-1, 1] |
| images a request | at most {{ facts.max_rows }} |
| made by | {{ facts.made_by }} |

{% if takes %}
## What it can be asked for

{{ asked_for(takes) }}

{% for each in asked_words %}
{{ each | item }}
{% endfor %}

{% endif %}
## Evaluation

{% if metrics.evaluated %}
{{ ("**" ~ metrics.assessment.headline ~ "**") | wrap }}

{% for each in metrics.assessment.findings %}
{{ (each.about ~ " (" ~ each.sign ~ "): " ~ each.words) | item }}
{% endfor %}

{% filter wrap %}
{{ metrics.images.synthetic_drawn }} synthetic and {{ metrics.images.held_out }}
held-out real {{ images }} of {{ metrics.subjects.held_out }} subjects, none of
whom it was trained on; {{ metrics.subjects.validation }} more for the
real-to-real baseline.
{% endfilter %}


{{ interval_note(metrics) | wrap }}

{% for group in groups(metrics) %}
### {{ group.title }}

{{ group.words | wrap }}

{{ table(group, metrics) }}

{% endfor %}
{% else %}
Not evaluated.

{% endif %}
## Copies

{{ (metrics.copies.words if metrics.copies else "Not checked.") | wrap }}

{% if metrics.evaluated %}
## What may not be concluded

{% for each in metrics.assessment.may_not %}
{{ each | item }}
{% endfor %}

{% endif %}
## Limits

- **{{ not_for_diagnosis }}**
{% if not takes and not facts.is_volume %}
- Slices stand alone: two of them do not belong to one brain.
{% endif %}
{% if facts.is_volume and facts.space == "native" %}
- A volume lies about the centre of its brain, in no template: regions of an
  atlas fit only once it was registered to one.
{% endif %}
{% if facts.is_volume %}
- Likeness, variety and roughness are those of sets of volumes. They say nothing
  about copies of training images, or about medical meaning.
{% else %}
- PSNR and SSIM say how like real slices they are. They say nothing about
  diversity, about copies of training images, or about medical meaning.
{% endif %}
- Ages, scanners and tracers other than those of the training data are not
  represented.
{% for each in measured_limits %}
{{ each | item }}
{% endfor %}

## Licence and citation

MIT licence for the model and its code; the terms of the training data apply
besides: what those forbid with the data, they may forbid with a model of it.

The method is that of Islam J, Zhang Y. GAN-based synthetic brain PET image
generation. Brain Informatics 2020;7:3. doi:10.1186/s40708-020-00104-2
"""

# of a conditional model
_ASKED = (
    "A mixture of stages is an interpolation of the model, between what it has "
    "learnt of each. It is no stage of its own and no course of the disease.",
    "The same seed, asked for something else, is the same latent, and the same "
    "brain only as far as the model holds that; the evaluation says how far, "
    "where there is one. It is never what becomes of a person.",
    "What is out of range is refused by image, with the reason in the output "
    "status; nothing is clipped to what looks right.",
)
_SPACE = "native: the centre of the brain is the origin"
# what would be markup, or a link
_MARKUP = re.compile(r"[\\`*|#>]|(?<=\])[(\[:]|(?<=:)/(?=/)|(?<=www)\.")
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
# verdicts of a generator that is exported only where that is asked for
_REFUSED = ("copies", "suspects")


def model_card(
    facts: ModelInfo,
    *,
    version: str,
    subjects: int | None,
    slices: int | None,
    metrics: dict[str, Any],
) -> str:
    """Returns Markdown for `MODEL_CARD.md`, without a subject id or a path.

    Texts in the metrics stay text: whatever would be markup is escaped.

    Args:
        facts: As written into the model's folder.
        version: The version that the card is of.
        subjects: Number of training subjects, None if not known.
        slices: Number of training slices or volumes, None if not known.
        metrics: Content of `metrics.json`; `evaluated` says whether it holds
            measurements.

    Returns:
        The text, ending in a newline.

    Raises:
        LookupError, TypeError, ValueError, jinja2.UndefinedError: If `metrics`
            is not what `evaluate` writes.
    """
    metrics = _plain(metrics)
    return _TEMPLATE.render(
        all_stages=ALL_STAGES,
        asked_for=_asked_for,
        asked_words=_ASKED,
        copied=has_copies(metrics),
        facts=facts,
        groups=groups,
        images="volumes" if facts.is_volume else "slices",
        interval_note=interval_note,
        measured_limits=limits(metrics) if metrics["evaluated"] else [],
        metrics={"copies": None, **metrics},
        own=OWN,
        not_for_diagnosis=NOT_FOR_DIAGNOSIS,
        reference=REFERENCES[facts.reference],
        slices=slices,
        space=_SPACE if facts.space == NATIVE else facts.space,
        spacing=f"{facts.spacing_mm:g}",
        subjects=subjects,
        table=_table,
        takes=facts.takes,
        version=version,
    )


def has_copies(metrics: dict[str, Any]) -> bool:
    """Whether an evaluation found copies of training slices, or suspects.

    Args:
        metrics: Content of `metrics.json`; `evaluated` says whether it holds
            measurements.

    Raises:
        KeyError, TypeError: If `metrics` is not what `evaluate` writes.
    """
    if not metrics["evaluated"]:
        return False
    copies = metrics["copies"]
    # None where one training subject left nothing to compare with
    certain = copies["certain"] or 0
    return certain > 0 or copies["verdict"] in _REFUSED


def _plain(value: Any) -> Any:
    """Escapes every text in a JSON value, and puts it on one line."""
    if isinstance(value, dict):
        return {_plain(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, str):
        line = _MARKUP.sub(r"\\\g<0>", one_line(value, most=len(value)))
        return _TAG.sub("&lt;", line)
    return value


def _asked_for(takes: Conditions) -> str:
    """Returns the Markdown table of conditions and their ranges."""
    stages = ", ".join(takes.stages)
    found = {"stage": f"{stages}, or weights of {', '.join(STAGES)}"}
    if "plane" in takes.names:
        found["plane"] = ", ".join(takes.planes)
    if "position" in takes.names:
        bands = takes.bands_mm.items()
        found["position"] = "; ".join(
            f"{plane} {low:g} to {high:g} mm" for plane, (low, high) in bands
        )
    if "age" in takes.names:
        low, high = takes.ages
        found["age"] = f"{low:g} to {high:g} years, or unknown"
    if "sex" in takes.names:
        found["sex"] = "F, M, or unknown"
    rows = (f"| {name} | {words} |" for name, words in found.items())
    return "\n".join(["| condition | range |", "| --- | --- |", *rows])


def _table(group: Group, metrics: dict[str, Any]) -> str:
    """Returns the Markdown table of a group of scores."""
    columns = group.columns
    lines = [columns, ["---"] * len(columns)]
    for row in group.rows:
        numbers = (
            " ".join(row.texts(metrics, kind)).rstrip() for kind in KINDS
        )
        cells = (row.heading, *numbers, row.wanted, row.paper)
        lines.append(cells[: len(columns)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _item(text: str) -> str:
    """Returns an item of a Markdown list."""
    return textwrap.indent(_wrap(text, 77), "  ").replace("  ", "- ", 1)


def _wrap(text: str, width: int = 79) -> str:
    """Wraps a paragraph."""
    return textwrap.fill(
        text, width, break_long_words=False, break_on_hyphens=False
    )


_ENVIRONMENT = jinja2.Environment(
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    keep_trailing_newline=True,
)
_ENVIRONMENT.filters |= {"item": _item, "wrap": _wrap}
_TEMPLATE = _ENVIRONMENT.from_string(_CARD)
