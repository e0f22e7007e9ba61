"""The tables of `conditional.py`, for docs/conditional.md."""

import statistics

STAGES = ("NC", "MCI", "AD")
# two-sided 95 % quantiles of Student's t, by degrees of freedom
_T = {1: 12.71, 2: 4.303, 3: 3.182, 4: 2.776}
# how much more KID is called no worse, stated before anything was measured
MARGIN = 0.2
ARMS = (
    ("separate", "0.995", "three separate generators"),
    ("separate", "0.999", "the same, longer average"),
    ("conditional", "0.995", "one conditional generator"),
    ("conditional", "0.999", "the same, longer average"),
    ("at once", "0.999", "the same without transition"),
)


def table(rows, *, size, steps):
    """Both tables in Markdown.

    Args:
        rows: Of `conditional.jsonl`.
        size: Height and width of an image.
        steps: Of an arm in total.
    """
    rows = [row for row in rows if row["size"] == size]
    (real,) = [row for row in rows if row["arm"] == "real"]
    rows = [row for row in rows if row["steps"] == steps]
    lines = [
        "| | seeds | KID NC, MCI, AD | recall NC, MCI, AD | precision | "
        "suspects | stage, accuracy | minutes |",
        "|---|---|---|---|---|---|---|---|",
        f"| real against real | | {_three(real, 'kid')} | "
        f"{_three(real, 'recall')} | {_mean(real, 'precision'):.2f} | | "
        f"{real['accuracy']:.2f} | |",
    ]
    for arm, decay, words in ARMS:
        found = [row for row in rows if row["arm"] == arm]
        if found:
            lines.append(_line(found, decay, words))
    lines += ["", *_asked(rows, real), "", *_differences(rows)]
    return "\n".join(lines)


def _line(found, decay, words):
    """A row of likeness and variety, medians over seeds."""
    scores = [row[decay] for row in found]
    middle = {
        s: {
            name: statistics.median(each[s]["frozen"][name] for each in scores)
            for name in ("kid", "recall")
        }
        for s in STAGES
    }
    kid, recall = (
        ", ".join(f"{middle[s][name]:.{digits}f}" for s in STAGES)
        for name, digits in (("kid", 3), ("recall", 2))
    )
    precision = statistics.median(_mean(each, "precision") for each in scores)
    suspects = statistics.median(each["copies"] for each in scores)
    accuracy = statistics.median(each["accuracy"] for each in scores)
    minutes = statistics.median(row["seconds"] for row in found) / 60
    return (
        f"| {words} | {len(found)} | {kid} | {recall} | {precision:.2f} | "
        f"{100 * suspects:.1f} % | {accuracy:.2f} | {minutes:.1f} |"
    )


def _asked(rows, real):
    """What a conditional generator does with what it is asked for."""
    contrast = real["contrast"]
    lines = [
        "| | position, mm | own brain | variety | contrast, correlation | "
        "slope | error inside | outside | mean outside |",
        "|---|---|---|---|---|---|---|---|---|",
        f"| 24 real people of each stage | {real['position_mm']:.1f} | | 1 | "
        f"{_contrast([contrast])} |",
        f"| 100 of each | | | | {_contrast([contrast['everyone']])} |",
    ]
    for arm, decay, words in ARMS:
        found = [row[decay] for row in rows if row["arm"] == arm]
        if not found or "identity" not in found[0]:
            continue
        middle = {
            name: statistics.median(each[name] for each in found)
            for name in ("position_mm", "identity", "variety")
        }
        lines.append(
            f"| {words} | {middle['position_mm']:.1f} | "
            f"{middle['identity']:.2f} | {middle['variety']:.2f} | "
            f"{_contrast([each['contrast'] for each in found])} |"
        )
    return lines


def _contrast(found):
    """Medians of what compares a contrast with the truth."""
    names = ("correlation", "slope", "inside", "outside", "drift")
    middle = [statistics.median(each[name] for each in found) for name in names]
    return " | ".join(f"{value:.2f}" for value in middle)


def _differences(rows):
    """The conditional one less the separate ones, seed by seed."""
    lines = [
        "| conditional less separate | KID, mean and interval | margin | "
        "recall, mean and interval |",
        "|---|---|---|---|",
    ]
    by = {(r["arm"], r["seed"]): r for r in rows}
    seeds = sorted(s for a, s in by if a == "separate")
    seeds = [s for s in seeds if ("conditional", s) in by]
    if len(seeds) < 2:
        return []
    for stage in (*STAGES, "mean"):
        cells = {}
        for name in ("kid", "recall"):
            pairs = [
                (
                    _of(by["conditional", s]["0.999"], stage, name),
                    _of(by["separate", s]["0.995"], stage, name),
                )
                for s in seeds
            ]
            changes = [one - other for one, other in pairs]
            half = _T[len(seeds) - 1] * statistics.stdev(changes)
            half /= len(seeds) ** 0.5
            mean = statistics.mean(changes)
            margin = MARGIN * statistics.mean(other for _, other in pairs)
            cells[name] = (
                f"{mean:+.3f} ({mean - half:+.3f} to {mean + half:+.3f})",
                f"{margin:.3f}",
            )
        lines.append(
            f"| {stage} | {cells['kid'][0]} | {cells['kid'][1]} | "
            f"{cells['recall'][0]} |"
        )
    return lines


def _of(row, stage, name):
    """A figure of a stage, or the mean over all."""
    return _mean(row, name) if stage == "mean" else row[stage]["frozen"][name]


def _three(row, name):
    """A figure of each stage."""
    digits = 3 if name == "kid" else 2
    return ", ".join(f"{row[s]['frozen'][name]:.{digits}f}" for s in STAGES)


def _mean(row, name):
    """The mean of a figure over stages."""
    return statistics.mean(row[s]["frozen"][name] for s in STAGES)
