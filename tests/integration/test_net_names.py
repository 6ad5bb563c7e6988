"""Name servers asked over real sockets: lost, forged and long answers."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from healthd.errors import ReadError
from healthd.net import Network
from healthd.probes import Resolved
from healthd.soon import waited
from tests.integration.servers import (
    addressed,
    ask_for,
    failure,
    free_port,
    name_server,
    played,
    serving,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def test_a_name_server_is_asked_and_forged_answers_are_passed_over() -> None:
    async def scene() -> None:
        async with name_server(addressed) as server:
            answer = await ask_for(Network(), f"127.0.0.1:{server.port}")
            assert answer == Resolved(server=f"127.0.0.1:{server.port}", rcode="NOERROR", records=("192.0.2.1",))

    played(scene())


def test_a_question_that_is_lost_is_asked_again() -> None:
    async def scene() -> None:
        async with name_server(lambda asked: addressed(asked) if len(server.asked) > 1 else None) as server:
            assert (await ask_for(Network(), f"127.0.0.1:{server.port}", deadline=0.4)).records == ("192.0.2.1",)

    played(scene())


def test_a_server_that_is_silent_or_not_there_is_said_to_be() -> None:
    async def scene() -> None:
        async with name_server(lambda _: None) as server:
            late = await failure(ask_for(Network(), f"127.0.0.1:{server.port}", deadline=0.1))
            assert str(late) == f"no answer from 127.0.0.1:{server.port} within 0.1 s"
        port = free_port()
        refused = await failure(ask_for(Network(), f"127.0.0.1:{port}"))
        assert (str(refused), getattr(refused, "cause", "")) == (f"127.0.0.1:{port}: connection refused", "refused")

    played(scene())


def test_a_long_answer_is_fetched_over_tcp() -> None:
    async def stream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answer = addressed(await reader.readexactly(int.from_bytes(await reader.readexactly(2))))
        for piece in (len(answer).to_bytes(2), answer[:9], answer[9:]):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)

    async def scene() -> None:
        async with name_server(lambda asked: addressed(asked, b"\x83\x80")) as server:
            async with serving(stream, port=server.port):
                assert (await ask_for(Network(), f"127.0.0.1:{server.port}")).records == ("192.0.2.1",)
            closed = await failure(ask_for(Network(), f"127.0.0.1:{server.port}"))
            assert "connection refused" in str(closed)

    played(scene())


def test_the_servers_of_this_host_are_asked_in_turn(tmp_path: Path) -> None:
    conf = tmp_path / "resolv.conf"
    conf.write_text("# two\nsearch example.org\nnameserver 127.0.0.9\nnameserver 127.0.0.10\noptions edns0\n")
    asked: list[str] = []

    async def scene() -> None:
        answer = await failure(Network(conf).resolve("example.org", "A", server="", deadline=0.5))
        asked.append(str(answer))
        no_file = await failure(Network(tmp_path).resolve("example.org", "A", server="", deadline=0.5))
        assert isinstance(no_file, ReadError)

    played(scene())
    assert asked == ["127.0.0.10: connection refused"]


@pytest.mark.parametrize(("name", "server"), [("a..b", "127.0.0.1"), ("example.org", "127.0.0.1:x")])
def test_what_makes_no_sense_is_not_asked(name: str, server: str) -> None:
    async def scene() -> None:
        unable = await failure(Network().resolve(name, "A", server=server, deadline=5))
        assert isinstance(unable, ReadError)

    played(scene())


def test_whether_the_servers_of_this_host_answer_at_all(tmp_path: Path) -> None:
    conf = tmp_path / "resolv.conf"

    async def scene() -> None:
        async with name_server(lambda asked: addressed(asked, b"\x81\x85")) as server:
            conf.write_text(f"nameserver 127.0.0.1:{server.port}\nnameserver 127.0.0.9\nnameserver ::1%lo\n")
            answering, closed, scoped = await waited(Network(conf).name_servers(deadline=5, local=False))
        assert (answering.problem, answering.unasked) == ("", "")
        assert (closed.address, closed.problem) == ("127.0.0.9", "connection refused")
        assert scoped.unasked == ""

    played(scene())
