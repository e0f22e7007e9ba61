#!/usr/bin/env python3
"""How fast a model server answers, and how often it fails.

    load_test.py http://localhost:8501/v1/models/ad --clients 4 --seconds 20

Each client sends a request, waits for the whole answer, looks whether it
holds what was asked for, and sends the next (a closed loop: it finds the rate
that so many clients get, not what happens at a given rate of arrival). Every
request has seeds of its own. Requests sent in the first --warm-up seconds are
not counted; all others are, until the last has its answer. Exit codes: 0 no
failure, 1 a failure, 2 options.
"""

import argparse
import collections
import dataclasses
import http.client
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
from rest import Model, ServerError, model_url

PERCENTILES = (50, 90, 95, 99, 100)


def main(arguments: list[str] | None = None) -> int:
    """Parses, measures, prints, and gives the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add, whole = parser.add_argument, synthetic.whole
    add("url", type=model_url, help="of the model")
    add("--clients", type=whole(1, 256), default=4, help="at the same time")
    add("--seconds", type=synthetic.seconds, default=10.0, help="measured")
    add("--warm-up", type=synthetic.seconds, default=1.0, help="seconds before")
    add("--rows", type=whole(1), default=1, help="images a request")
    add("--signature", choices=["generate_png", "generate"])
    add("--keep-alive", action="store_true", help="one connection a client")
    add("--timeout", type=synthetic.seconds, default=30.0, help="of a request")
    add("--json", type=Path, help="a file for the numbers")
    parser.set_defaults(signature="generate_png")
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
    """Measures and prints; gives the number of failures."""
    model = Model(options.url, timeout=options.timeout).pinned()
    most = synthetic.facts_of(*model.predict("describe", [0]))["max_rows"]
    if options.rows > most:
        raise ValueError(
            f"expected --rows of at most {most}, which the model takes, found "
            f"{options.rows}"
        )
    before = os.getloadavg()[0] if hasattr(os, "getloadavg") else math.nan
    answers, start = _measure(model, options)
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
    """What the answers come to.

    Latencies are of good answers alone, from sending to the last byte.

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
    """The smallest value that so many percent do not exceed."""
    rank = max(1, math.ceil(percent * len(ordered) / 100))
    return ordered[rank - 1]


def _measure(
    model: Model, options: argparse.Namespace
) -> tuple[list[Answer], float]:
    """The answers to what was sent in the measured time, and its start."""
    start = time.monotonic() + options.warm_up
    end = start + options.seconds
    numbers, answers = itertools.count(), []
    threads = [
        threading.Thread(
            target=_client,
            args=(model, options, numbers, (start, end), answers),
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
    numbers: Iterator[int],
    times: tuple[float, float],
    answers: list[Answer],
) -> None:
    """Asks until the end, and at least once in the measured time."""
    start, end = times
    connection, counted = model.connect(), 0
    while not counted or time.monotonic() < end:
        if not options.keep_alive:
            connection.close()
        first = next(numbers) * options.rows
        seeds = list(range(first, first + options.rows))
        answer = _ask(model, connection, options.signature, seeds)
        answers.append(answer)
        counted += answer.start >= start
    connection.close()


def _ask(
    model: Model,
    connection: http.client.HTTPConnection,
    signature: str,
    seeds: list[int],
) -> Answer:
    body = {"signature_name": signature, "instances": seeds}
    start = time.monotonic()
    try:
        path = f"{model.path}:predict"
        status, payload = model.send(connection, "POST", path, body)
    except ServerError as error:
        connection.close()
        failed = Answer(start, time.monotonic(), type(error.__cause__).__name__)
        time.sleep(0.05)  # no flood of a server that is down
        return failed
    end = time.monotonic()
    return Answer(start, end, _fault(model, status, payload, len(seeds)))


def _fault(model: Model, status: int, payload: bytes, count: int) -> str:
    """What is wrong with an answer, empty if nothing is."""
    if status != 200:
        return f"HTTP {status}"
    try:
        model.predictions(json.loads(payload), count)
    except (ServerError, ValueError):
        return "wrong content"
    return ""


def _words(value: Any) -> str:
    if not isinstance(value, dict):
        return str(value)
    return "  ".join(f"{key} {one}" for key, one in value.items()) or "none"


if __name__ == "__main__":
    sys.exit(main())
