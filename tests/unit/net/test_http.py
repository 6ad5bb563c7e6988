"""HTTP as a client: the bytes of a request, and what is made of any bytes that come back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthd.errors import NoAnswer, ReadError
from healthd.net.http import Request, fetch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthd.probes import Fetched

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Server:
    """Answers each connection with the next of these scripts, a chunk at a time; what it was told is kept."""

    def __init__(self, *answers: bytes | Sequence[bytes]) -> None:
        self._answers = [[each] if isinstance(each, bytes) else list(each) for each in answers]
        self.dialled: list[tuple[str, int, bool | None]] = []
        self.told: list[bytes] = []
        self.open = 0

    async def dial(self, host: str, port: int, verify: bool | None) -> Server:
        self.dialled.append((host, port, verify))
        self.told.append(b"")
        self._chunks = self._answers.pop(0)
        self.open += 1
        return self

    async def send(self, data: bytes) -> None:
        self.told[-1] += data

    async def receive(self) -> bytes:
        return self._chunks.pop(0) if self._chunks else b""

    def close(self) -> None:
        self.open -= 1

    def lines(self, number: int = 0) -> list[str]:
        """The head of a request."""
        return self.told[number].partition(b"\r\n\r\n")[0].decode("utf-8").split("\r\n")


def ask(server: Server, url: str = "http://web.example/", **request: Any) -> Fetched:
    whole = Request(**{"url": url, "headers": {}, "limit": 1000, **request})
    try:
        return asyncio.run(fetch(whole, server.dial))
    finally:
        assert server.open == 0


def redirect(to: str, status: int = 302) -> bytes:
    return f"HTTP/1.1 {status} Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n".encode()


# Asking


def test_a_request_names_the_host_and_who_asks_and_wants_one_answer() -> None:
    server = Server(OK)
    ask(server, "http://web.example:8000/healthz?full=1#part")

    first, *headers = server.lines()
    assert first == "GET /healthz?full=1 HTTP/1.1"
    assert "host: web.example:8000" in headers
    assert "connection: close" in headers
    assert any(line.startswith("user-agent: healthd/") for line in headers)
    assert server.dialled == [("web.example", 8000, None)]


@pytest.mark.parametrize(
    ("url", "dialled"),
    [
        ("http://web.example", ("web.example", 80, None)),
        ("https://web.example", ("web.example", 443, True)),
        ("HTTP://[::1]:81/", ("::1", 81, None)),
    ],
)
def test_the_scheme_says_where_to_and_whether_by_tls(url: str, dialled: tuple[str, int, bool | None]) -> None:
    server = Server(OK)
    ask(server, url)

    assert server.dialled == [dialled]


def test_own_headers_win_over_ours() -> None:
    server = Server(OK)
    ask(server, headers={"Host": "other.example", "X-Who": "mü"})

    assert {"host: other.example", "x-who: mü"} <= set(server.lines())
    assert "host: web.example" not in server.lines()


def test_a_body_comes_with_its_length() -> None:
    server = Server(OK)
    ask(server, method="POST", body=b"ping")

    assert "content-length: 4" in server.lines()
    assert server.told[0].endswith(b"\r\n\r\nping")


def test_a_login_in_the_url_is_basic_authentication_and_not_part_of_the_host() -> None:
    server = Server(OK)
    ask(server, "http://me:p%40ss@web.example/")

    assert {"authorization: Basic bWU6cEBzcw==", "host: web.example"} <= set(server.lines())


@pytest.mark.parametrize("headers", [{"X": "two\nlines"}, {"no name": "x"}, {"ü": "x"}])
def test_a_header_that_cannot_be_sent_is_no_reading(headers: dict[str, str]) -> None:
    with pytest.raises(ReadError, match="the request cannot be sent"):
        ask(Server(OK), headers=headers)


@pytest.mark.parametrize(
    "url", ["http://web.example:99999/", "http://web.example:0/", "ftp://web.example/", "http:///x"]
)
def test_a_url_that_makes_no_sense_is_no_reading(url: str) -> None:
    with pytest.raises(ReadError, match="no URL"):
        ask(Server(OK), url)


# Answers


def test_an_answer_is_put_together_from_whatever_pieces_it_comes_in() -> None:
    answer = ask(Server([bytes([byte]) for byte in OK]))

    assert (answer.status, answer.body, answer.cut, answer.headers["content-length"]) == (200, b"ok", False, "2")


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\nok",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    ],
    ids=["chunks", "until the end", "after an interim answer"],
)
def test_every_way_to_send_a_body_is_understood(answer: bytes) -> None:
    assert ask(Server(answer)).body == b"ok"


def test_of_a_long_body_the_beginning_is_read() -> None:
    answer = ask(Server([b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 800, b"y" * 800, b"z" * 800]))

    assert answer.body == b"x" * 800 + b"y" * 200
    assert answer.cut


def test_the_answer_to_head_has_no_body() -> None:
    assert ask(Server(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"), method="HEAD").body == b""


@pytest.mark.parametrize(
    ("answer", "cause", "words"),
    [
        (b"", "closed", "the connection was closed without an answer"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "protocol", "the answer is no HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", "protocol", "the answer is no HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nok", "closed", "the answer ended in its middle"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n", "protocol", "the answer is no HTTP"),
    ],
    ids=["nothing", "another protocol", "half a head", "half a body", "a number too long"],
)
def test_what_is_no_answer_is_said_to_be_none(answer: bytes, cause: str, words: str) -> None:
    with pytest.raises(NoAnswer, match=words) as caught:
        ask(Server(answer))

    assert caught.value.cause == cause


@given(st.binary(max_size=200), st.booleans())
def test_no_bytes_do_any_harm(noise: bytes, begins_well: bool) -> None:
    try:
        answer = ask(Server((b"HTTP/1.1 200 OK\r\n" if begins_well else b"") + noise))
    except NoAnswer:
        return
    assert 200 <= answer.status < 1000


# Redirects


def test_redirects_are_followed_to_where_they_lead() -> None:
    server = Server(redirect("/there", 301), redirect("https://other.example/x#y", 302), OK)
    answer = ask(server, verify=False)

    assert (answer.url, answer.redirects, answer.status) == ("https://other.example/x", 2, 200)
    assert server.dialled[1:] == [("web.example", 80, None), ("other.example", 443, False)]


def test_who_does_not_follow_sees_the_redirect() -> None:
    answer = ask(Server(redirect("/there")), follow=False)

    assert (answer.status, answer.headers["location"]) == (302, "/there")


@pytest.mark.parametrize(("status", "method", "body"), [(303, "GET", b""), (301, "GET", b""), (307, "POST", b"ping")])
def test_a_redirected_post_becomes_a_get_unless_the_status_forbids_it(status: int, method: str, body: bytes) -> None:
    server = Server(redirect("/there", status), OK)
    ask(server, method="POST", body=b"ping")

    assert server.lines(1)[0] == f"{method} /there HTTP/1.1"
    assert server.told[1].partition(b"\r\n\r\n")[2] == body


def test_a_post_that_leads_back_to_its_own_page_is_no_circle() -> None:
    assert ask(Server(redirect("/", 303), OK), method="POST").status == 200


def test_secrets_are_kept_from_other_hosts() -> None:
    server = Server(redirect("/there"), redirect("http://other.example/"), OK)
    ask(server, "http://me:pw@web.example/", headers={"X-Key": "secret"})

    assert "x-key: secret" in server.lines(1)
    assert not any(line.startswith(("x-key", "authorization")) for line in server.lines(2))


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ([redirect("/a"), redirect("/b"), redirect("/a")], "circle to http://web.example/a"),
        ([redirect(f"/{number}") for number in range(6)], "more than 5 redirects"),
        ([redirect("ftp://web.example/")], "leads nowhere: 'ftp://web.example/'"),
        ([redirect("http://[oh/")], "leads nowhere"),
        ([redirect("/a b")], "leads nowhere"),
    ],
    ids=["a circle", "too many", "another scheme", "no URL", "a blank"],
)
def test_redirects_that_lead_nowhere_are_said_to(answers: list[bytes], words: str) -> None:
    with pytest.raises(NoAnswer, match=words) as caught:
        ask(Server(*answers))

    assert caught.value.cause == "redirect"
