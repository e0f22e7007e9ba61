#!/usr/bin/env python3
"""Measures how fast a model server answers, and how often it fails.

    load_test.py http://localhost:8501/v1/models/ad --clients 4 --seconds 20

Each client sends a request, waits for the whole answer, checks it, and sends
the next (a closed loop: it measures the rate that so many clients get, not
what happens at a given rate of arrival). No two requests share a seed.
Requests sent in the first --warm-up seconds are not counted; all others are,
until the last has its answer. Exit codes: 0 no failure, 1 a failure, 2
options.
"""

import argparse
import collections
import dataclasses
import itertools
import json
import math
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import synthetic
import wanted
from rest_client import (
    Model,
    ServerError,
    Session,
    innermost,
    model_url,
    predicting,
)

PERCENTILES = (50, 90, 95, 99, 100)


def main(arguments: list[str] | None = None) -> int:
    """Parses the options, measures, prints, and returns the exit code."""
    parser = synthetic.parser(__doc__)
    add, whole = parser.add_argument, synthetic.whole
    add("url", type=model_url, help="of the model")
    add("--clients", type=whole(1, 256), default=4, help="at the same time")
    add("--seconds", type=synthetic.seconds, default=10.0, help="measured")
    add("--warm-up", type=synthetic.seconds, default=1.0, help="seconds before")
    add("--rows", type=whole(1), default=1, help="images per request")
    add(
        "--signature",
        choices=["generate_png", "generate"],
        default="generate_png",
    )
    add("--keep-alive", action="store_true", help="one connection per client")
    add("--timeout", type=synthetic.seconds, default=30.0, help="of a request")
    add("--json", type=Path, help="a file for the numbers")
    wanted.add_arguments(parser)
    options = parser.parse_args(arguments)
    failures = []
    code = synthetic.run(lambda: failures.append(_test(options)), ServerError)
    return code or int(any(failures))


@dataclasses.dataclass(frozen=True)
class Answer:
    """One request: when it was sent, when it ended, what went wrong."""

    start: float
    end: float
    error: str = ""


def _test(options: argparse.Namespace) -> int:
    """Measures and prints; returns the number of failures."""
    model = Model(options.url, timeout=options.timeout).pinned()
    facts = synthetic.parse_facts(*model.predict("describe", [0]))
    most, asked = facts["max_rows"], wanted.Asked(options, facts)
    if options.rows > most:
        raise ValueError(
            f"expected --rows of at most {most}, the model's limit, found "
            f"{options.rows}"
        )
    before = os.getloadavg()[0] if hasattr(os, "getloadavg") else math.nan
    answers, start = _measure(model, options, asked)
    result = {
        "model": f"{model.name} {model.version}",
        "signature": options.signature,
        "rows_a_request": options.rows,
        "clients": options.clients,
        "connections": "kept" if options.keep_alive else "one a request",
        "client_cores": os.cpu_count(),
        "client_load_before": round(before, 1),
        **summary(answers, rows=options.rows, start=start),
    }
    for key, value in result.items():
        print(f"{key.replace('_', ' '):20} {_words(value)}")
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n")
    return sum(result["failed"].values())


def summary(
    answers: list[Answer], *, rows: int, start: float
) -> dict[str, Any]:
    """Summarises the answers.

    Latencies are those of good answers, from sending to the last byte.

    Args:
        answers: Of all requests that were sent since `start`.
        rows: Images in a good answer.
        start: When the measured time began.

    Returns:
        Counts, rates and latency percentiles (nearest rank) in ms.
    """
    elapsed = max((one.end for one in answers), default=start) - start
    good = sorted(one.end - one.start for one in answers if not one.error)
    failed = collections.Counter(one.error for one in answers if one.error)
    return {
        "seconds": round(elapsed, 2),
        "answers": len(answers),
        "good": len(good),
        "failed": dict(failed),
        "images_a_second": round(len(good) * rows / (elapsed or 1), 1),
        "latency_ms": {
            f"p{p}" if p < 100 else "max": round(1000 * percentile(good, p), 1)
            for p in PERCENTILES
            if good
        },
    }


def percentile(ordered: list[float], percent: int) -> float:
    """Returns the smallest value that so many percent do not exceed."""
    rank = max(1, math.ceil(percent * len(ordered) / 100))
    return ordered[rank - 1]


def _measure(
    model: Model, options: argparse.Namespace, asked: wanted.Asked
) -> tuple[list[Answer], float]:
    """Returns the answers to requests of the measured time, and its start."""
    start = time.monotonic() + options.warm_up
    end = start + options.seconds
    numbers, answers = itertools.count(), []
    threads = [
        threading.Thread(
            target=_client,
            args=(model, options, asked, numbers, (start, end), answers),
            daemon=True,
        )
        for _ in range(options.clients)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [one for one in answers if one.start >= start], start


def _client(
    model: Model,
    options: argparse.Namespace,
    asked: wanted.Asked,
    numbers: Iterator[int],
    times: tuple[float, float],
    answers: list[Answer],
) -> None:
    """Sends requests until the end, and at least one that counts."""
    start, end = times
    counted = 0
    with Session() as kept:
        # without a session, a connection is opened for each request
        session = kept if options.keep_alive else None
        while not counted or time.monotonic() < end:
            first = next(numbers) * options.rows
            seeds = list(range(first, first + options.rows))
            body = predicting(options.signature, seeds, asked.columns(seeds))
            answer = _ask(model, session, body)
            answers.append(answer)
            counted += answer.start >= start


def _ask(model: Model, session: Any, body: dict[str, Any]) -> Answer:
    """Sends one request and times its answer."""
    start = time.monotonic()
    try:
        status, content = model.send(f"{model.url}:predict", body, session)
    except ServerError as error:
        failed = Answer(
            start, time.monotonic(), type(innermost(error)).__name__
        )
        time.sleep(0.05)  # no flood of a server that is down
        return failed
    end, rows = time.monotonic(), len(body["instances"])
    return Answer(start, end, _fault(model, status, content, rows))


def _fault(model: Model, status: int, content: bytes, count: int) -> str:
    """Returns what is wrong with an answer, empty if nothing is."""
    if status != 200:
        return f"HTTP {status}"
    try:
        model.predictions(json.loads(content), count)
    except (ServerError, ValueError, RecursionError):
        return "wrong content"
    return ""


def _words(value: Any) -> str:
    """Returns a number, or a table as one line."""
    if not isinstance(value, dict):
        return str(value)
    return "  ".join(f"{key} {one}" for key, one in value.items()) or "none"


if __name__ == "__main__":
    sys.exit(main())
