import json
import socket
import ssl
import threading
import time
import types
import urllib.error

import canned_server
import pytest

from pet_dcgan.serving import json_http as module
from pet_dcgan.serving.json_http import JsonHttp, RefusedError

FINE = (200, b'{"fine": [1]}', {})


def error(status, words="made by the test"):
    return (status, json.dumps({"error": words}).encode(), {})


@pytest.fixture
def rest():
    """Tries three times, without a pause."""
    return JsonHttp(timeout=5.0, waits=(0.0, 0.0))


def test_what_was_sent_and_answered(rest):
    with canned_server.serve([FINE]) as server:
        assert rest.get(f"{server.url}/a") == {"fine": [1]}
        assert rest.post(f"{server.url}/b", {"seed": 2**63 - 1}) == {
            "fine": [1]
        }
    (get, post) = server.asked
    assert get == ("GET", "/a", b"")
    assert post[:2] == ("POST", "/b")
    assert json.loads(post[2]) == {"seed": 9223372036854775807}


@pytest.mark.parametrize(
    "fault",
    [
        *(error(status) for status in (408, 425, 429, 500, 502, 503, 504)),
        (200, b'{"fine"', {"Content-Length": "13"}),
        (None, b"", {}),
        (None, b"this is no HTTP", {}),
    ],
)
def test_what_may_pass_is_tried_again(rest, fault, capsys):
    with canned_server.serve([fault, fault, FINE]) as server:
        assert rest.post(server.url, {}) == {"fine": [1]}
    assert len(server.asked) == 3
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("pet-dcgan: ")
    assert first.endswith("; try 2 of 3 in 0 s")
    assert second.endswith("; try 3 of 3 in 0 s")


def test_pauses_grow(monkeypatch):
    waited = []
    monkeypatch.setattr(JsonHttp, "pause", lambda _, s, why: waited.append(s))
    with (
        canned_server.serve([error(503)]) as server,
        pytest.raises(ConnectionError, match=r"HTTP 503 \(made.*, 6 times"),
    ):
        JsonHttp().get(server.url)
    assert waited == [0.5, 1.0, 2.0, 4.0, 8.0]


def test_nobody_there(rest):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
        with pytest.raises(ConnectionError, match="refused, 3 times") as caught:
            rest.get(url)
    assert url in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("begun", [b"", b"HTTP/1.1 200 OK\r\n\r\n{"])
def test_an_answer_that_does_not_come_in_time(begun):
    rest = JsonHttp(timeout=0.2, waits=(0.0,))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"

        def begin():
            for _ in range(2):
                connection, _ = listener.accept()
                connection.sendall(begun)
                held.append(connection)

        held = []
        thread = threading.Thread(target=begin)
        thread.start()
        with pytest.raises(ConnectionError, match="no answer in time, 2 times"):
            rest.get(url)
        thread.join()
    for connection in held:
        connection.close()


def test_a_trickle_does_not_go_on_for_ever(rest, monkeypatch):
    now = iter(range(0, 1000, 3))
    clock = types.SimpleNamespace(monotonic=lambda: next(now))
    monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr(module, "_PIECE", 2)
    with (
        canned_server.serve([FINE]) as server,
        pytest.raises(ConnectionError, match="no answer in time, 3 times"),
    ):
        rest.get(server.url)


def test_a_request_that_is_wrong_is_made_once(rest):
    with (
        canned_server.serve([error(400, "wrong\n width")]) as server,
        pytest.raises(
            RefusedError, match=r"found HTTP 400 \(wrong width\)$"
        ) as e,
    ):
        rest.get(server.url)
    assert len(server.asked) == 1
    assert (e.value.status, e.value.words) == (400, "wrong width")


@pytest.mark.parametrize("body", [b"", b"<html>no</html>", b"[]", b'"x"'])
def test_an_error_without_words_of_a_model_server(rest, body):
    with (
        canned_server.serve([(404, body, {})]) as server,
        pytest.raises(RefusedError, match=r"HTTP 404 \(Not Found\)"),
    ):
        rest.get(server.url)


def test_an_error_whose_words_break_off(rest):
    with (
        canned_server.serve(
            [(404, b"{", {"Transfer-Encoding": "chunked"})]
        ) as server,
        pytest.raises(RefusedError, match=r"HTTP 404 \(Not Found\)"),
    ):
        rest.get(server.url)


def test_a_redirection_is_told(rest):
    moved = (302, b"", {"Location": "https://else/where"})
    with (
        canned_server.serve([moved]) as server,
        pytest.raises(
            RefusedError, match=r"HTTP 302.*: ask https://else/where"
        ),
    ):
        rest.post(server.url, {})


def test_what_is_no_json_is_refused(rest):
    with (
        canned_server.serve([(200, b"<html>\n" * 100, {})]) as server,
        pytest.raises(ValueError, match=r"expected JSON from .*REST port") as e,
    ):
        rest.get(server.url)
    assert len(str(e.value)) < 400
    assert "\n" not in str(e.value)
    assert len(server.asked) == 1


def test_an_endless_answer_is_refused(rest, monkeypatch):
    monkeypatch.setattr(module, "_MOST_BYTES", 1000)
    with (
        canned_server.serve([(200, b" " * 2000, {})]) as server,
        pytest.raises(ValueError, match="at most 1000 bytes"),
    ):
        rest.get(server.url)


def test_a_server_that_is_not_trusted(rest, monkeypatch):
    def refuse(*_args, **_named):
        raise urllib.error.URLError(ssl.SSLError("self-signed"))

    monkeypatch.setattr(rest._opener, "open", refuse)
    with pytest.raises(
        ValueError, match=r"self-signed.*see to its certificate"
    ):
        rest.get("https://host")


def test_closing_ends_the_waiting():
    rest = JsonHttp(waits=(60.0,))
    threading.Timer(0.1, rest.close).start()
    start = time.monotonic()
    with (
        canned_server.serve([error(503)]) as server,
        pytest.raises(ConnectionAbortedError),
    ):
        rest.get(server.url)
    assert time.monotonic() - start < 30
