"""A server of prepared bytes, and the answers that a model server gives.

A case is a folder of three answers, whole HTTP responses, to the requests for
the status, for the facts and for images; `pace.json` says which of them comes
slowly or without end.
"""

import base64
import contextlib
import json
import socket
import threading
import time
from pathlib import Path
from random import Random

import toy_data

from fuzzing.damage import damaged_json
from fuzzing.pngs import grey_png

STATUS, FACTS, IMAGES = "status.http", "facts.http", "images.http"
PACE = "pace.json"
ROWS = 2
_PATIENCE = 30  # seconds a connection may last
MODEL = {
    "stage": "AD",
    "plane": "axial",
    "size": 32,
    "channels": 1,
    "latent_dim": 6,
    "spacing_mm": 6.0,
    "suvr_max": 2.5,
    "reference": "brain",
    "preset": "demo",
    "phantom": True,
    "made_by": "pet-dcgan 0.1.0",
    "max_rows": ROWS,
}

# of one that is asked for a stage
CONDITIONAL = MODEL | {
    "stage": "ALL",
    "plane": "ALL",
    "conditions": {
        "names": ["stage", "plane", "position", "age", "sex"],
        "stages": ["NC", "MCI", "AD"],
        "bands_mm": {"axial": [-40.0, 50.0], "coronal": [-60.5, 37.3]},
        "ages": [55.0, 90.0],
    },
}


def image(seed: int) -> bytes:
    """A PNG as a model draws it."""
    rows = toy_data.disc("AD", seed)[..., 0].astype(">u2")
    return grey_png(32, 32, b"".join(b"\0" + row.tobytes() for row in rows))


def response(body: bytes, status: str = "200 OK", extra: str = "") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n{extra}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def rows_body(rows: list[bytes]) -> bytes:
    cells = [{"b64": base64.b64encode(row).decode()} for row in rows]
    return json.dumps({"outputs": cells}).encode()


def write_answers(folder: Path) -> None:
    """The answers of a whole and honest server."""
    states = [{"version": "1", "state": "AVAILABLE", "status": {}}]
    status = json.dumps({"model_version_status": states}).encode()
    facts = rows_body([json.dumps(MODEL).encode()])
    images = rows_body([image(seed) for seed in range(ROWS)])
    for name, body in ((STATUS, status), (FACTS, facts), (IMAGES, images)):
        (folder / name).write_bytes(response(body))
    (folder / PACE).write_text("{}")


def body_of(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[2]


def damaged_facts(dice: Random) -> bytes:
    """Facts with odd values, in a whole answer."""
    facts = json.dumps(MODEL).encode()
    if dice.random() < 0.4:
        name = dice.choice(("max_rows", "size", "spacing_mm", "suvr_max"))
        odd = (-4, 0, 1, 65, 200_000_000, 1e308, 5e-324, 2**70, True, "4", None)
        facts = json.dumps(MODEL | {name: dice.choice(odd)}).encode()
    else:
        facts = json.dumps(dice.choice((MODEL, CONDITIONAL))).encode()
        facts = damaged_json(facts, dice)
    return response(rows_body([facts]))


@contextlib.contextmanager
def serving(folder: Path):
    """The address of a server of a case's answers, while in the block."""
    pace = json.loads((folder / PACE).read_bytes())
    with socket.create_server(("127.0.0.1", 0)) as server:
        stop = threading.Event()
        thread = threading.Thread(
            target=_accept, args=(server, folder, pace, stop), daemon=True
        )
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}/v1/models/ad"
        finally:
            stop.set()
            with contextlib.suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
            thread.join()


def _accept(server, folder: Path, pace: dict, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            client, _ = server.accept()
        except OSError:
            return
        arguments = (client, folder, pace, stop)
        threading.Thread(target=_answer, args=arguments, daemon=True).start()


def _answer(client, folder: Path, pace: dict, stop: threading.Event) -> None:
    """Reads a request and sends its answer, slowly where the case says so."""
    with client, contextlib.suppress(OSError):
        request = b""
        while not _is_whole(request):
            piece = client.recv(65536)
            if not piece:
                return
            request += piece
        name = STATUS
        if request.startswith(b"POST"):
            name = FACTS if b'"describe"' in request else IMAGES
        content = (folder / name).read_bytes()
        if pace.get("name") == name:
            _send_slowly(client, content, pace, stop)
        else:
            client.sendall(content)


def _send_slowly(client, content: bytes, pace: dict, stop) -> None:
    """Sends some bytes at once, the next one by one, then a part for ever."""
    client.sendall(content[: pace["at"]])
    deadline = time.monotonic() + _PATIENCE
    rest = content[pace["at"] :] or b" "
    filler = pace["filler"].encode("latin-1")
    while time.monotonic() < deadline and not stop.wait(pace["pause"]):
        if filler:
            client.sendall(filler * pace["times"])
        elif rest:
            client.sendall(rest[:1])
            rest = rest[1:]
        else:
            return


def _is_whole(request: bytes) -> bool:
    head, end, body = request.partition(b"\r\n\r\n")
    lengths = [
        int(line.split(b":")[1])
        for line in head.splitlines()
        if line.lower().startswith(b"content-length:")
    ]
    return bool(end) and len(body) >= (lengths[0] if lengths else 0)
