"""The door to the network over real sockets: who does not answer, and who answers late."""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from healthd.errors import NoAnswer
from healthd.net import Network
from tests.integration.servers import (
    failure,
    free_port,
    greeting,
    played,
    serving,
    silent,
    well,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_page_is_fetched(host: str) -> None:
    async def scene() -> None:
        async with serving(well) as port:
            answer = await Network().fetch(f"http://{host}:{port}/", deadline=5)
            assert (answer.status, answer.body) == (200, b"ok")

    played(scene())


def test_ipv6_is_spoken() -> None:
    async def scene() -> None:
        async with serving(well, host="::1") as port:
            assert (await Network().fetch(f"http://[::1]:{port}/", deadline=5)).status == 200
            await Network().talk(f"[::1]:{port}", send=b"GET / HTTP/1.0\r\n\r\n", expect=b"200 OK", deadline=5)

    played(scene())


def test_a_closed_port_refuses_at_once() -> None:
    async def scene() -> None:
        refused = await failure(Network().fetch(f"http://127.0.0.1:{free_port()}/", deadline=5))
        assert (str(refused), getattr(refused, "cause", "")) == ("connection refused", "refused")

    played(scene())


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_whoever_does_not_answer_is_waited_for_no_longer_than_said(scheme: str) -> None:
    async def scene() -> None:
        async with serving(silent) as port:
            late = await failure(Network().fetch(f"{scheme}://127.0.0.1:{port}/", deadline=0.1))
            assert (str(late), getattr(late, "cause", "")) == ("no answer within 0.1 s", "timeout")

    played(scene())


def test_a_body_without_an_end_is_cut() -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * 10_000)
            await writer.drain()

    async def scene() -> None:
        async with serving(endless) as port:
            answer = await Network().fetch(f"http://127.0.0.1:{port}/", deadline=5)
            assert answer.cut
            assert answer.body == b"x" * 65_536

    played(scene())


def test_a_name_that_nobody_knows_is_said_to_be_unknown() -> None:
    async def scene() -> None:
        unknown = await failure(Network().fetch("http://no-such-host.invalid/", deadline=10))
        assert isinstance(unknown, NoAnswer)
        assert unknown.cause == "dns"
        assert str(unknown).startswith("no-such-host.invalid ")

    played(scene())


def test_a_look_up_that_hangs_holds_up_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    let_go, real = asyncio.Event(), socket.getaddrinfo
    asked: list[bytes] = []

    def stuck(host: Any, *rest: Any, **more: Any) -> Any:
        asked.append(host)
        while host == b"hangs.example" and not let_go.is_set():
            time.sleep(0.01)
        return real("127.0.0.1", *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", stuck)

    async def scene() -> None:
        net = Network()
        async with serving(well) as port:
            for _ in range(3):
                late = await failure(net.fetch(f"http://hangs.example:{port}/", deadline=0.05))
                assert str(late) == "hangs.example is not resolved within 0.05 s"
            assert asked == [b"hangs.example"]
            assert (await net.fetch(f"http://other.example:{port}/", deadline=5)).status == 200
            let_go.set()
            assert (await net.fetch(f"http://hangs.example:{port}/", deadline=5)).status == 200

    played(scene())


def test_an_address_that_does_not_answer_leaves_time_for_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene() -> None:
        full = socket.create_server(("127.0.0.2", 0), backlog=0)
        with closing(full):
            port = full.getsockname()[1]
            fillers = [await _filler(port) for _ in range(4)]
            places = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"127.0.0.{n}", port)) for n in (2, 1)]
            monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: places)
            async with serving(well, port=port) as port:
                assert (await Network().fetch(f"http://two.example:{port}/", deadline=2)).status == 200
            for filler in fillers:
                filler.close()

    played(scene())


async def _filler(port: int) -> socket.socket:
    """A connection that sits in the backlog, or waits for a place there."""
    made = socket.socket()
    made.setblocking(False)
    made.connect_ex(("127.0.0.2", port))
    return made


# TCP and Unix sockets


@pytest.mark.parametrize(
    ("send", "expect"),
    [(b"", b""), (b"", b"mail.example ESMTP"), (b"\xff\x00PING", b"\xff\x00PING")],
    ids=["only there", "a banner", "an echo"],
)
def test_a_server_of_any_protocol_is_well_if_it_says_what_is_expected(send: bytes, expect: bytes) -> None:
    async def scene() -> None:
        async with serving(greeting) as port:
            await Network().talk(f"127.0.0.1:{port}", send=send, expect=expect, deadline=5)

    played(scene())


def test_a_server_that_says_something_else_is_quoted() -> None:
    async def scene() -> None:
        async with serving(greeting) as port:
            other = await failure(Network().talk(f"127.0.0.1:{port}", send=b"", expect=b"250 ok", deadline=0.2))
            assert str(other) == (
                'the answer lacks "250 ok" within 0.2 s; it begins with "220 mail.example ESMTP\\r\\n"'
            )

    played(scene())


def test_a_server_that_hangs_up_is_said_to_have_done_so() -> None:
    async def scene() -> None:
        async def hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.close()

        async with serving(hangs_up) as port:
            closed = await failure(Network().talk(f"127.0.0.1:{port}", send=b"", expect=b"hello", deadline=5))
            assert str(closed) == "no answer before the connection was closed"

    played(scene())


def test_a_unix_socket_is_talked_to(tmp_path: Path) -> None:
    async def scene() -> None:
        async with serving(greeting, path=tmp_path / "web.sock"):
            await Network().talk(str(tmp_path / "web.sock"), send=b"", expect=b"220", deadline=5)
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(tmp_path / "dead.sock"))
        for name, words in (("none.sock", "there is no such socket"), ("dead.sock", "connection refused")):
            assert str(await failure(Network().talk(str(tmp_path / name), send=b"", expect=b"", deadline=5))) == words

    played(scene())


def test_a_unix_socket_whose_backlog_is_full_does_not_answer(tmp_path: Path) -> None:
    async def scene() -> None:
        with socket.socket(socket.AF_UNIX) as hung, socket.socket(socket.AF_UNIX) as filler:
            hung.bind(str(tmp_path / "hung.sock"))
            hung.listen(0)
            filler.connect(str(tmp_path / "hung.sock"))
            late = await failure(Network().talk(str(tmp_path / "hung.sock"), send=b"", expect=b"", deadline=0.2))
            assert str(late) == "no answer within 0.2 s"

    played(scene())
