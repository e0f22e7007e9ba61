"""What the user can do about scans that are not used, and what was assumed."""

import shlex
from collections.abc import Iterable, Sequence

from tfds_adni.cohort.counted import counted
from tfds_adni.cohort.kinds import labels_found
from tfds_adni.cohort.labels import GIVEN, NO_STAGE
from tfds_adni.cohort.selection import (
    UNKNOWN_TRACER,
    ScanDecision,
    Selection,
    tracer_of_scan,
)
from tfds_adni.sources import Label
from tfds_adni.sources.tracers import TRACERS, known_tracer
from tfds_adni.tables.stages import is_smc, plain_word, stage_of_group

_SHOWN, _LONGEST = 5, 40


def notes_of(
    decisions: Iterable[ScanDecision], selection: Selection
) -> list[str]:
    """Returns what to know of tracers and stages, a line each.

    Args:
        decisions: All scans.
        selection: The criteria they met.
    """
    decisions = list(decisions)
    used = [d for d in decisions if not d.reason]
    if not used:  # the error says it
        return []
    assumed = sum(tracer_of_scan(d.record) == "unknown" for d in used)
    unnamed = sum(d.reason == UNKNOWN_TRACER for d in decisions)
    against = sum(d.label_source.startswith(f"{GIVEN};") for d in used)
    lines = {
        f"nothing names the tracer of {assumed} of the {len(used)} scans used; "
        f"it is assumed to be {selection.assume_tracer}": assumed,
        f"nothing names the tracer of {unnamed} scans, skipped for it; "
        f"--assume-tracer {selection.tracer} uses them": unnamed,
        f"tables give {against} of the {len(used)} scans used another stage "
        f"than {selection.stage}, which {GIVEN} gives to all; label_source of "
        "the account names them": against,
    }
    found = [counted(line) for line, count in lines.items() if count]
    return found + _unknown_words(
        d for d in decisions if d.reason.startswith(NO_STAGE)
    )


def remedies_of(
    decisions: Sequence[ScanDecision], selection: Selection
) -> list[str]:
    """Returns the options that would use scans, where none is used.

    Args:
        decisions: All scans.
        selection: The criteria that none of them met.
    """
    images = [d for d in decisions if not d.record.problem]
    lines = []
    if any(d.reason == UNKNOWN_TRACER for d in images):
        lines.append(
            "where nothing names the tracer, --assume-tracer "
            f"{selection.tracer} takes it as given"
        )
    wanted = [d for d in images if _is_of(d, selection)]
    lines += _unknown_words(wanted)
    if any(not d.stage and not d.record.labels for d in wanted):
        lines.append("--stage NC gives one stage to a folder of one group")
    for entity in ("desc", "space"):
        found = labels_found(images, entity)
        label = getattr(selection, entity)
        if label is not None and (label or "raw") not in found:
            lines.append(
                f"--{entity} {shlex.quote(label or 'raw')} is not among "
                f"{', '.join(found[:_SHOWN])}"
            )
    return lines + _other_tracers(images, selection)


def _other_tracers(
    images: Iterable[ScanDecision], selection: Selection
) -> list[str]:
    """Returns what to do about tracers that are not the selected one."""
    known = (selection.tracer, "unknown", "")
    named = dict.fromkeys(d.tracer for d in images if d.tracer not in known)
    ours = [name for name in named if name in TRACERS]
    odd = [name for name in named if not known_tracer(name)]
    lines = []
    if ours:
        options = " or ".join(f"--tracer {name}" for name in ours[:_SHOWN])
        lines.append(f"for scans of another tracer {options}")
    if odd:
        shown = ", ".join(" ".join(name.split())[:_LONGEST] for name in odd[:2])
        lines.append(
            f"no tracer is known by the name {shown}; where it is "
            f"{selection.tracer}, write {selection.tracer} as trc- of the file "
            "or as TracerName of its JSON file"
        )
    return lines


def _is_of(decision: ScanDecision, selection: Selection) -> bool:
    """Whether a scan is of the selected tracer, or of one not named."""
    return decision.tracer in (selection.tracer, "unknown")


def _is_known(label: Label) -> bool:
    """Whether a label names a stage, whatever else keeps its scan out."""
    return bool(stage_of_group(label.text)) or is_smc(label.text)


def _unknown_words(decisions: Iterable[ScanDecision]) -> list[str]:
    """Returns a line on words of tables that name no stage, if there are."""
    unread = [
        d.record.labels[0]
        for d in decisions
        if not d.stage
        and d.record.labels
        and not any(map(_is_known, d.record.labels))
    ]
    if not unread:
        return []
    spelled = {plain_word(n.text): " ".join(n.text.split()) for n in unread}
    words = [word[:_LONGEST] for word in spelled.values()]
    sources = " and ".join(sorted({label.source for label in unread}))
    shown = ", ".join(words[:_SHOWN])
    line = (
        f"{sources} says {shown} of {len(unread)} scans, which names no "
        f"stage; --stage-word {shlex.quote(f'{words[0]}=AD')} if that is what "
        "it means"
    )
    return [counted(line)]
