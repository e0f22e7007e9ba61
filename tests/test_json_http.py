import json
import socket
import threading
import time
import types

import canned_server
import pytest
import requests

from pet_dcgan.serving import json_http as module
from pet_dcgan.serving.json_http import HttpStatusError, JsonClient

FINE = (200, b'{"fine": [1]}', {})


def error(status, words="made by the test"):
    return (status, json.dumps({"error": words}).encode(), {})


@pytest.fixture
def client(monkeypatch):
    """Makes three attempts, without a pause."""
    monkeypatch.setattr(module, "RETRY_DELAYS", (0.0, 0.0))
    return JsonClient(timeout=5.0)


def test_request_and_answer(client):
    with canned_server.serve([FINE]) as server:
        assert client.request(f"{server.url}/a") == {"fine": [1]}
        client.request(f"{server.url}/b", {"seed": 2**63 - 1})
    get, post = server.asked
    assert get == ("GET", "/a", b"")
    assert post[:2] == ("POST", "/b")
    assert json.loads(post[2]) == {"seed": 9223372036854775807}


@pytest.mark.parametrize(
    "fault",
    [
        *(error(status) for status in (408, 425, 429, 500, 503)),
        (200, b'{"fine"', {"Content-Length": "13"}),
        (None, b"", {}),
        (None, b"this is no HTTP", {}),
    ],
)
def test_transient_failures_are_retried(client, fault, capsys):
    with canned_server.serve([fault, fault, FINE]) as server:
        assert client.request(server.url, {}) == {"fine": [1]}
    assert len(server.asked) == 3
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("pet-dcgan: ")
    assert first.endswith("; attempt 2 of 3 in 0 s")
    assert second.endswith("; attempt 3 of 3 in 0 s")


def test_pauses_grow(monkeypatch):
    waited = []
    monkeypatch.setattr(JsonClient, "pause", lambda _, s, why: waited.append(s))
    with (
        canned_server.serve([error(503)]) as server,
        pytest.raises(
            ConnectionError, match=r"6 attempts \(HTTP 503 \(made by the test"
        ),
    ):
        JsonClient().request(server.url)
    assert waited == [0.5, 1.0, 2.0, 4.0, 8.0]


def test_no_server(client):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
        with pytest.raises(
            ConnectionError, match=r"3 attempts \(Connection refused\)"
        ) as caught:
            client.request(url)
    assert url in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("begun", [b"", b"HTTP/1.1 200 OK\r\n\r\n{"])
def test_no_answer_in_time(client, begun):
    client.timeout, held = 0.2, []
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()

        def begin():
            for _ in range(3):
                connection, _ = listener.accept()
                connection.sendall(begun)
                held.append(connection)

        thread = threading.Thread(target=begin)
        thread.start()
        with pytest.raises(ConnectionError, match="no answer in time"):
            client.request(f"http://127.0.0.1:{listener.getsockname()[1]}")
        thread.join()
    for connection in held:
        connection.close()


def test_a_trickle_ends_at_the_deadline(client, monkeypatch):
    now = iter(range(0, 1000, 3))
    clock = types.SimpleNamespace(monotonic=lambda: next(now))
    monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr(module, "_PIECE", 2)
    with (
        canned_server.serve([FINE]) as server,
        pytest.raises(ConnectionError, match="no answer in time"),
    ):
        client.request(server.url)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (error(400, "wrong\n width"), "answered HTTP 400 (wrong width)"),
        # not the words of a model server
        ((404, b"<html>no</html>", {}), "HTTP 404 (Not Found)"),
        ((404, b"[]", {}), "HTTP 404 (Not Found)"),
        ((404, b"{", {"Transfer-Encoding": "chunked"}), "404 (Not Found)"),
        # a redirected POST would arrive as a GET
        (
            (302, b"", {"Location": "https://else/where"}),
            "HTTP 302 (Found): use https://else/where",
        ),
        ((200, b"<html>\n" * 100, {}), "is this the server's REST port?"),
        ((200, b" " * 2000, {}), "at most 1000 bytes"),
    ],
)
def test_other_errors_are_not_retried(client, monkeypatch, answer, words):
    monkeypatch.setattr(module, "_MAX_BYTES", 1000)
    with (
        canned_server.serve([answer]) as server,
        pytest.raises(ValueError, match=r"http://127\.0\.0\.1") as caught,
    ):
        client.request(server.url, {})
    assert len(server.asked) == 1
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400
    if isinstance(caught.value, HttpStatusError):
        assert caught.value.status == answer[0]
        assert caught.value.reason in words


def test_a_server_that_is_not_trusted(client, monkeypatch):
    def refuse(*_args, **_named):
        raise requests.exceptions.SSLError("self-signed")

    monkeypatch.setattr(requests, "request", refuse)
    with pytest.raises(ValueError, match=r"self-signed.*check its certificate"):
        client.request("https://host")


@pytest.mark.parametrize("url", ["http://h:99999/", "http://*.h/"])
def test_an_invalid_url(client, url):
    with pytest.raises(ValueError, match="cannot ask"):
        client.request(url)


def test_a_proxy_of_the_environment_is_used(client, monkeypatch):
    with canned_server.serve([FINE]) as server:
        monkeypatch.setenv("http_proxy", server.url)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        assert client.request("http://model.invalid/a") == {"fine": [1]}
    assert server.asked[0][1] == "http://model.invalid/a"


def test_closing_ends_the_waiting(client, monkeypatch):
    monkeypatch.setattr(module, "RETRY_DELAYS", (60.0,))
    threading.Timer(0.1, client.close).start()
    start = time.monotonic()
    with (
        canned_server.serve([error(503)]) as server,
        pytest.raises(ConnectionAbortedError),
    ):
        client.request(server.url)
    assert time.monotonic() - start < 30
