"""Findings about a conditional generator: does it draw what it is asked for?

Each takes numbers of all planes, and the worst of them counts.
"""

from collections.abc import Callable, Iterable
from typing import Any

from pet_dcgan.evaluation import findings
from pet_dcgan.evaluation.findings import (
    Finding,
    brackets,
    graded,
    worst,
)

# of what real images are above chance: below the first, stages are hardly
# told apart; below the second, they are ignored
_OBEYED = 0.7, 0.3
# accuracy above that of real images: beyond the first, stages are exaggerated;
# above the second in all, they are caricatures
_EXAGGERATED, _CARICATURE = 0.1, 0.95
# mm that an image may lie off, and times as far as a real one seems to
_OFF_MM, _TIMES = 3.0, 1.5
# of the error if positions were ignored
_IGNORED = 0.7
# share of images that are of another brain
_LOST = 0.1, 0.5
# of the distances between real subjects that are missing
_ALIKE = 0.2, 0.5
# of the ceiling that a correlation lacks; ceilings below the last are of real
# subjects whose halves do not agree
_LACKING, _LEAST_CEILING = (0.3, 0.6), 0.3

# of a perfect model's slope, what is missing, and what is too much
_WEAK, _STRONG = (0.4, 0.8), (1.0, 3.0)

Planes = dict[str, dict[str, Any]]


def of_cells(planes: Planes, find: Callable[[dict], Finding]) -> Finding:
    """The worst finding among the stages of all planes.

    Args:
        planes: `planes` of `metrics.json`.
        find: From the numbers of one stage to a finding.
    """
    return _worst(
        (f"{stage} {plane}", *_found(cell, find))
        for plane, found in planes.items()
        for stage, cell in found["stages"].items()
    )


def of_planes(
    planes: Planes, name: str, find: Callable[[dict], Finding]
) -> Finding:
    """The worst finding among the planes.

    Args:
        planes: `planes` of `metrics.json`.
        name: Of the numbers of a plane.
        find: From these to a finding.
    """
    return _worst(
        (plane, *_found(found[name], find)) for plane, found in planes.items()
    )


def _found(numbers: dict, find: Callable[[dict], Finding]) -> Finding:
    """A finding, or why there is none."""
    if numbers.get("missing") and "accuracy" not in numbers:
        return "unknown", f"Not measured: {numbers['missing']}."
    return find(numbers)


def _worst(each: Iterable[tuple[str, str, str]]) -> Finding:
    """The worst of some findings, with where it is."""
    rows = list(each)
    sign = worst(row[1] for row in rows)
    place, _, words = next(row for row in rows if row[1] == sign)
    if len(rows) < 2:
        return sign, words
    return sign, f"{place}: {words}"


def variety(cell: dict[str, Any]) -> Finding:
    """By distances at one position, and by coverage, the worse of the two.

    Args:
        cell: Numbers of one stage and plane.
    """
    found, signs, words = cell["variety"], [], []
    if found["missing"]:
        signs.append("unknown")
        words.append(f"Distances at one position: {found['missing']}")
    else:
        ratio = found["ratio"]
        ends = ratio["interval"] and tuple(
            1 - e for e in ratio["interval"][::-1]
        )
        signs.append(graded(1 - ratio["value"], ends, *_ALIKE))
        words.append(
            f"Two images at one position differ {ratio['value']:.2f} times as "
            f"much as two real subjects{brackets(ratio['interval'], 2)}"
        )
    coverage = cell["features"].get("trained", {}).get("coverage")
    real = coverage and coverage["real"]
    if real and real["value"] is not None:
        signs.append(findings.sign_of_coverage(**coverage))
        words.append(
            f"{coverage['synthetic']['value']:.0%} of the real images have a "
            f"synthetic neighbour ({real['value']:.0%} one of another subject)"
        )
    return worst(signs), f"{'; '.join(words)}."


def stage(found: dict[str, Any]) -> Finding:
    """By what a classifier answers that was trained on real images.

    Args:
        found: `stage` of a plane.
    """
    accuracy, chance = found["accuracy"], found["chance"]
    value, ends = (accuracy["synthetic"][k] for k in ("value", "interval"))
    words = (
        "A classifier trained on real images finds the stage asked for in "
        f"{value:.0%}{_percent(ends)} of the synthetic images"
    )
    if not accuracy["real"]:
        return "unknown", f"{words}. Not measured: {found['missing']}."
    real = accuracy["real"]["value"]
    words += (
        f", that of held-out real ones in {real:.0%}"
        f"{_percent(accuracy['real']['interval'])}, by chance {chance:.0%}"
    )
    sign, why = _of_accuracy(accuracy, chance)
    return sign, f"{words}{why}"


def _of_accuracy(accuracy: dict[str, Any], chance: float) -> Finding:
    """The sign of an accuracy, and what is wrong."""
    synthetic, real = accuracy["synthetic"], accuracy["real"]
    if not real["interval"] or not synthetic["interval"]:
        return "unknown", ": too few subjects to tell."
    beyond = synthetic["value"] - real["value"] > _EXAGGERATED
    # even where it cannot tell the stages of held-out ones
    if beyond and synthetic["interval"][0] > real["interval"][1]:
        return _exaggerated(synthetic["value"])
    if real["interval"][0] <= chance:
        return "unknown", ": it cannot tell the stages of real images either."
    share, least = (
        (x - chance) / (real["value"] - chance)
        for x in (synthetic["value"], synthetic["interval"][0])
    )
    hardly, ignored = _OBEYED
    if share < ignored and synthetic["interval"][1] < real["value"]:
        return "bad", (
            ". The stage is ignored: do not use these images as images of a "
            "stage. Train longer, or on more scans."
        )
    if share < hardly:
        return "caution", ": stages differ less than they should."
    if beyond:
        return "caution", ": stages may be drawn clearer than real ones are."
    if least < ignored:
        return "unknown", ": too few to tell."
    return "good", "."


def _exaggerated(accuracy: float) -> Finding:
    """Of stages that are found in more synthetic images than real ones."""
    if accuracy >= _CARICATURE:
        return "bad", (
            ". These are caricatures, or copies of training subjects: stages "
            "are drawn far clearer than held-out ones are."
        )
    return "caution", (
        ": stages are drawn clearer than real ones are, or as clear as those "
        "of training subjects."
    )


def position(found: dict[str, Any]) -> Finding:
    """By the position that is read from the images.

    Args:
        found: `position` of a plane.
    """
    synthetic, real = (found["error_mm"][k] for k in ("synthetic", "real"))
    unrelated, value = found["unrelated_mm"], synthetic["value"]
    words = (
        f"Images lie {value:.1f} mm{brackets(synthetic['interval'], 1)} from "
        "where they were asked to, as read by a regression on real images"
    )
    limit = _OFF_MM
    if real:
        words += f", held-out real ones {real['value']:.1f} mm"
        limit = max(limit, _TIMES * real["value"])
        if real["value"] > _IGNORED * unrelated:
            return "unknown", f"{words}: it cannot read real ones either."
    else:
        return "unknown", f"{words}; there are no held-out ones."
    if value > _IGNORED * unrelated:
        return "bad", (
            f"{words}, by chance {unrelated:.1f} mm. The position is ignored: "
            "do not use these images as images of a position. Train longer."
        )
    sign = graded(value, synthetic["interval"], limit, _IGNORED * unrelated)
    return sign, f"{words}."


def identity(found: dict[str, Any]) -> Finding:
    """By whether the images of a latent are one brain at both stages.

    Args:
        found: `identity` of a plane.
    """
    share, (first, last) = found["share"], found["stages"]
    ends = share["interval"] and tuple(1 - e for e in share["interval"][::-1])
    sign = graded(1 - share["value"], ends, *_LOST)
    words = (
        f"{share['value']:.0%} of the images of {last} are nearest to the "
        f"same latent's image of {first} (by chance {found['chance']:.0%})"
    )
    if sign == "bad":
        words += ": a latent is another brain at another stage"
    return sign, f"{words}."


def contrast(found: dict[str, Any]) -> Finding:
    """By the model's contrast beside that of held-out subjects.

    Args:
        found: `contrast` of a plane.
    """
    synthetic, ceiling = found["correlation"]["synthetic"], found["share"]
    (first, last), best = found["stages"], found["correlation"]["real"]["value"]
    words = (
        f"The model's {last} less its {first}, of the same latents, "
        f"correlates {synthetic['value']:.2f}"
        f"{brackets(synthetic['interval'], 2)} with the difference of "
        "held-out subjects"
    )
    if best is None or ceiling is None or best < _LEAST_CEILING:
        return "unknown", f"{words}, too few to show a difference themselves."
    strength, of_strength = _strength(found["slope"])
    words += f" (a perfect model's about {best:.2f}){of_strength}"
    ends = synthetic["interval"]
    ends = ends and tuple(1 - end / best for end in ends[::-1])
    return worst([graded(1 - ceiling, ends, *_LACKING), strength]), f"{words}."


def _strength(slope: dict[str, Any]) -> Finding:
    """By the slope over the real difference, beside a perfect model's.

    That is below 1: there is chance in the difference of few subjects.
    """
    synthetic, perfect = slope["synthetic"], slope["real"]["value"]
    ends = synthetic["interval"]
    words = (
        f"; its slope over it is {synthetic['value']:.2f}{brackets(ends, 2)} "
        f"(a perfect model's about {perfect:.2f})"
    )
    if ends is None:
        return "unknown", words
    low, value, high = (
        end / perfect for end in (ends[0], synthetic["value"], ends[1])
    )
    signs = {
        "weaker": graded(1 - value, (1 - high, 1 - low), *_WEAK),
        "stronger": graded(value - 1, (low - 1, high - 1), *_STRONG),
    }
    sign = worst(signs.values())
    if sign in ("caution", "bad"):
        than = next(name for name in signs if signs[name] == sign)
        words += f": {than} than a real one"
    return sign, words


def _percent(ends: list[float] | None) -> str:
    """An interval in per cent, or nothing."""
    return f" [{ends[0]:.0%}, {ends[1]:.0%}]" if ends else ""
