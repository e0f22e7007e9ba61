import gzip
import json
import re
import resource
import socket
import ssl
import threading
import time

import canned_server
import pytest
import requests

from pet_dcgan.serving import json_http as module
from pet_dcgan.serving.connection import DeadlineAdapter
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


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
ENDLESS = {
    "nothing": (b"", b""),
    "status": (b"HTTP/1.1 2", b"0"),
    "header": (b"HTTP/1.1 200 OK\r\nX: ", b"a"),
    "headers": (b"HTTP/1.1 200 OK\r\n", b"X: a\r\n"),
    "continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "early hints": (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    "chunk size": (CHUNKED, b"0"),
    "chunk extension": (CHUNKED + b"1;", b"x"),
    "chunks": (CHUNKED, b"1\r\n \r\n"),
    "negative chunks": (CHUNKED, b"-1\r\n \r\n"),
    "trailers": (CHUNKED + b"1\r\n{\r\n0\r\n", b"X: y\r\n"),
    "no length": (b"HTTP/1.1 200 OK\r\n\r\n", b" "),
    "long body": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999999\r\n\r\n",
        b" ",
    ),
    "gzip": (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", b"\x1f"),
    "error": (b"HTTP/1.1 404 No\r\n\r\n", b" "),
    "fault": (b"HTTP/1.1 503 No\r\n\r\n", b" "),
    "redirect": (b"HTTP/1.1 302 No\r\nLocation: /x\r\n\r\n", b" "),
}


@pytest.mark.parametrize("times", [1, 2**16], ids=["drip", "flood"])
@pytest.mark.parametrize("kind", ENDLESS)
def test_what_never_ends_does_not_hold_a_client(monkeypatch, kind, times):
    monkeypatch.setattr(module, "RETRY_DELAYS", ())
    begun, then = ENDLESS[kind]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.monotonic()
    with canned_server.drip(
        begun, then * times, every=0.05 if times == 1 else 0.0
    ) as server:
        with pytest.raises((ConnectionError, ValueError)) as caught:
            JsonClient(timeout=0.3).request(server.url, {}, most_bytes=2**20)
        assert time.monotonic() - start < 5
        # nothing reads on in the background
        assert not then or server.left.wait(5)
    assert "\n" not in str(caught.value)
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert used < 2**18  # KiB


def test_a_handshake_that_never_ends_does_not_hold_a_client(client):
    client.timeout = 0.3
    start = time.monotonic()
    # a TLS record of 16 KiB begins
    with canned_server.drip(b"\x16\x03\x03\x40\x00", b"\0") as server:
        with pytest.raises(ConnectionError, match="no answer in time"):
            client.request(server.url.replace("http:", "https:"))
        assert server.left.wait(5)
    assert time.monotonic() - start < 10


def test_a_search_for_the_server_that_never_ends(client, monkeypatch):
    found, search = threading.Event(), socket.getaddrinfo

    def wait(*args, **named):
        found.wait(60)
        return search(*args, **named)

    client.timeout = 0.2
    with canned_server.drip(b"", b"x") as server:
        monkeypatch.setattr(socket, "getaddrinfo", wait)
        with pytest.raises(ConnectionError, match="no answer in time"):
            client.request(server.url)
        # what is found too late is left at once
        found.set()
        assert server.left.wait(5)


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
        (
            (302, b"", {"Location": "http://me:secret@h/\x1b[2J"}),
            "HTTP 302 (Found): use http://...@h/?[2J",
        ),
        (error(400, "\x1b]0;owned\x07\u202e"), "HTTP 400 (?]0;owned??)"),
        (error(400, {"a": 1}), "HTTP 400 (Bad Request)"),
        ((200, b"<html>\n" * 100, {}), "is this the server's REST port?"),
        ((200, b"[1]", {}), "is this the server's REST port?"),
        ((200, b"[" * 5000, {}), "brackets within brackets"),
        ((200, b'{"a": ' + b"1" * 900 + b"x", {}), "(it begins with"),
        ((200, b"\xff\xfe\x1b[2J", {}), "is this the server's REST port?"),
        ((200, b" " * 9000, {}), "at most 8000 bytes"),
        (
            (200, gzip.compress(b" " * 2**26), {"Content-Encoding": "gzip"}),
            "expected plain JSON",
        ),
    ],
)
def test_other_errors_are_not_retried(client, answer, words):
    with (
        canned_server.serve([answer]) as server,
        pytest.raises(ValueError, match=r"http://127\.0\.0\.1") as caught,
    ):
        client.request(server.url, {}, most_bytes=8000)
    assert len(server.asked) == 1
    assert words in str(caught.value)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 600
    if isinstance(caught.value, HttpStatusError):
        assert caught.value.status == answer[0]
        assert caught.value.reason in words


def test_a_server_that_is_not_trusted(client, monkeypatch):
    def refuse(*_args, **_named):
        raise requests.exceptions.SSLError("x") from ssl.SSLError("self-signed")

    monkeypatch.setattr(DeadlineAdapter, "send", refuse)
    with pytest.raises(ValueError, match=r"self-signed.*check its certificate"):
        client.request("https://host")


def test_cookies_are_not_read(client, capsys):
    # http.cookiejar prints a traceback about this one
    cookie = "a=b; max-age=" + "9" * 4000
    fine = (*FINE[:2], {"Set-Cookie": cookie})
    with canned_server.serve([fine]) as server:
        assert client.request(server.url) == {"fine": [1]}
    assert capsys.readouterr().err == ""


def test_a_broken_answer_is_told_without_pythons_words(
    client, monkeypatch, caplog
):
    monkeypatch.setattr(module, "RETRY_DELAYS", ())
    for answer in (
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{",
        *(b"", b"\x1b[2J", b"HTTP/9.9 200 OK\r\n\r\n{}"),
        *(b"HTTP/1.1 2x0 OK\r\n\r\n{}", b"HTTP/1.1 -1 OK\r\n\r\n{}"),
        CHUNKED + b"zz\r\n{}\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 101 + b"\r\n{}",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70000 + b"\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\n\0: \0\r\nContent-Length: 2\r\n\r\n{}",
    ):
        with (
            canned_server.serve([(None, answer, {})]) as server,
            pytest.raises(
                ConnectionError, match="an incomplete or invalid response"
            ) as caught,
        ):
            client.request(server.url)
        assert not re.search(r"Error\(|Status|int\(", str(caught.value))
    # TensorFlow brings a handler that prints what urllib3 logs
    assert not caplog.records


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


def test_a_password_of_a_proxy_is_not_repeated(client, monkeypatch):
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    for proxy in ("http://me:secret@h:99999", "ftp://me:secret@h", "http://@"):
        monkeypatch.setenv("http_proxy", proxy)
        with pytest.raises((ConnectionError, ValueError)) as caught:
            client.request("http://model.invalid/a")
        assert "secret" not in str(caught.value)


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
