"""Answers of a model server: odd, hostile, slow or without end."""

import json
import time
from pathlib import Path
from random import Random

import pandas as pd

from fuzzing import answers
from fuzzing.damage import damaged, damaged_json, odd_text
from fuzzing.oracle import require
from fuzzing.plan import Files
from fuzzing.pngs import is_whole
from pet_dcgan.serving import json_http, rest_model
from pet_dcgan.serving.generate import generate

_TIMEOUT = 0.4  # seconds
_MOST_SECONDS = 10.0  # of three requests of 0.4 s on a busy machine
_NAMES = (answers.STATUS, answers.FACTS, answers.IMAGES)
_STATUSES = (
    *("200", "200 \x1b[2J", "204 No", "100 Continue", "199 x", "206 Part"),
    *(
        "301 Moved",
        "304 Not",
        "400 Bad",
        "404 Not Found",
        "413 Big",
        "429 Many",
    ),
    *(
        "500 Oops",
        "503 Busy",
        "999 x",
        "-1 x",
        "0x200 x",
        "",
        "200" * 40,
        "٢٠٠ x",
    ),
)
_HEADERS = (
    *("Content-Length: -1", "Content-Length: x", "Content-Length: 99999999999"),
    *("Content-Length: 5, 5", "Content-Encoding: gzip", "Content-Encoding: br"),
    *(
        "Content-Encoding: deflate",
        "Transfer-Encoding: chunked",
        "X: " + "y" * 70_000,
    ),
    *(
        "Location: \x1b]0;x\x07",
        "Location: http://127.0.0.1:1/",
        "no colon",
        ": x",
    ),
    *(
        "Set-Cookie: a=b",
        "Content-Type: text/html; charset=bogus",
        "\x00: \x00",
    ),
    *("Transfer-Encoding: gzip, chunked", "Connection: upgrade", "Refresh: 0"),
)
_CHUNKS = (
    *(
        b"5\r\nhello\r\n0\r\n\r\n",
        b"-5\r\n",
        b"zz\r\n",
        b"FFFFFFFFFFFFFFFFFF\r\n",
    ),
    *(b"5;" + b"x" * 70_000 + b"\r\nhello\r\n", b"3\r\nhello\r\n", b"\r\n\r\n"),
)
_FILLERS = (
    *(
        "HTTP/1.1 100 Continue\r\n\r\n",
        "X: y\r\n",
        "1",
        " ",
        "1\r\na\r\n",
        "1;x",
    ),
    *("HTTP/1.1 102 x\r\n\r\n", "\r\n", "x" * 1000, ""),
)


def prepare(base: Path) -> None:
    answers.write_answers(base)


def mutate(base: Path, dice: Random) -> Files:
    name = dice.choice(_NAMES)
    answer = (base / name).read_bytes()
    change = dice.choice(_CHANGES)
    if change is _slow:
        return {answers.PACE: _slow(name, answer, dice)}
    if change is damaged:
        others = [(base / other).read_bytes() for other in _NAMES]
        return {name: damaged(answer, dice, *others)}
    if change is _facts_in:
        return {answers.FACTS: _facts_in(dice)}
    return {name: change(answer, dice)}


def _body(answer: bytes, dice: Random) -> bytes:
    """Other JSON in a whole answer."""
    return answers.response(damaged_json(answers.body_of(answer), dice))


def _facts_in(dice: Random) -> bytes:
    """Odd facts, or as many rows as nobody asked for."""
    if dice.random() < 0.8:
        return answers.damaged_facts(dice)
    rows = dice.choice((0, 1, 3, 1000))
    return answers.response(answers.rows_body([b"{}"] * rows))


def _refusal(answer: bytes, dice: Random) -> bytes:
    """Another status, with words of the server."""
    words = dice.choice((odd_text(dice), {"a": 1}, None, ["x"] * 99, 5))
    body = json.dumps({"error": words}).encode()
    body = dice.choice((body, answers.body_of(answer), damaged(body, dice)))
    return answers.response(body, dice.choice(_STATUSES))


def _head(answer: bytes, dice: Random) -> bytes:
    """Odd lines in the head, or very many."""
    line = dice.choice(_HEADERS) + "\r\n"
    times = dice.choice((1, 1, 2, 101, 5000))
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    at = dice.randrange(1, len(lines) + 1)
    lines.insert(at, (line * times).encode("latin-1", "replace")[:-2])
    if dice.random() < 0.3:
        lines[0] = dice.choice(
            (b"HTTP/9.9 200 OK", b"HTTP/1.0 200 OK", b"ICY 200")
        )
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def _chunked(answer: bytes, dice: Random) -> bytes:
    """The body in chunks whose sizes are odd."""
    body = answers.body_of(answer)
    sizes = dice.choice((1, 7, 4096))
    parts = [body[at : at + sizes] for at in range(0, len(body), sizes)]
    chunks = [b"%x\r\n%s\r\n" % (len(part), part) for part in parts]
    chunks.append(b"0\r\n\r\n")
    chunks.insert(dice.randrange(len(chunks)), dice.choice((*_CHUNKS, b"")))
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"".join(chunks)


def _slow(name: str, answer: bytes, dice: Random) -> bytes:
    """One answer that stops, comes byte by byte, or goes on for ever."""
    start, head = answer.find(b"\r\n") + 2, answer.find(b"\r\n\r\n") + 4
    pace = {
        "name": name,
        "at": dice.choice((0, 5, start, head - 2, head, len(answer) - 1)),
        "pause": dice.choice((0.0, 0.02, 0.02, 60)),
        "filler": dice.choice(_FILLERS),
        "times": dice.choice((1, 1, 1000)),
    }
    return json.dumps(pace).encode()


_CHANGES = (
    _body,
    _body,
    _facts_in,
    _facts_in,
    _refusal,
    _head,
    _chunked,
    damaged,
    _slow,
)


def run(folder: Path, attempt) -> None:
    # one attempt: what another would meet is another case
    json_http.RETRY_DELAYS = rest_model.RETRY_DELAYS = ()
    started = time.monotonic()
    for format_ in ("png", "nifti"):
        with answers.serving(folder) as url:
            out = folder / "out" / format_
            table = attempt(
                generate,
                url,
                count=3,
                out=out,
                format=format_,
                timeout=_TIMEOUT,
            )
        if table is None:
            break
        attempt(_check, Path(table), format_)
    seconds = time.monotonic() - started
    if seconds > _MOST_SECONDS:
        attempt.faults.append(f"took {seconds:.1f} s of the clock")
    left = [p for p in (folder / "out").rglob("*") if ".lock" in p.name]
    attempt.faults += [f"left {path.name}" for path in left]


def _check(table: Path, format_: str) -> None:
    rows = pd.read_csv(table)
    require(len(rows) == 3, f"{len(rows)} rows of 3 images")
    for name in rows.iloc[:, 0]:
        require(str(name).isprintable(), f"name {name!r}")
        path = table.parent / str(name)
        require(path.is_file(), f"no {name}")
        if format_ == "png":
            content = path.read_bytes()
            size = int.from_bytes(content[16:20], "big")
            require(is_whole(content, size), f"{name} is damaged")
    scales = rows[["suvr_max", "spacing_mm"]].to_numpy(float)
    require(bool(((scales > 0) & (scales < 1e4)).all()), f"scale {scales[0]}")
