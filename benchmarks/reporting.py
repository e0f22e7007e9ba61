"""What benchmarks say alike: the machine, a table, and JSON of both."""

import json
import os
import platform
from importlib import metadata
from pathlib import Path

LIBRARIES = ("tensorflow", "keras", "torch", "numpy")


def machine():
    """What a time depends on, without the machine's name."""
    text = Path("/proc/cpuinfo")
    lines = text.read_text().splitlines() if text.is_file() else []
    models = [line for line in lines if line.startswith("model name")]
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return {
        "processor": models[0].partition(": ")[2] if models else "",
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(pages * size / 2**30, 1),
        "load_average_before": os.getloadavg()[0],
        "system": platform.system(),
        "python": platform.python_version(),
    } | {name: _version(name) for name in LIBRARIES}


def _version(name):
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def print_table(rows):
    """Dictionaries of the same keys, as a Markdown table."""
    head = list(rows[0])
    cells = [head, *([_cell(row[name]) for name in head] for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    lines = [
        "| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in cells
    ]
    lines.insert(1, "| " + " | ".join("-" * width for width in widths) + " |")
    print("\n".join(lines), flush=True)


def _cell(value):
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return str(value)


def add_out(parser):
    """The option that `write` takes."""
    parser.add_argument("--out", type=Path, help="write the JSON here")


def write(result, path):
    """A result and the machine as JSON, where a path is given."""
    if path is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(result, indent=2)
    path.write_text(text + "\n", encoding="utf-8")
