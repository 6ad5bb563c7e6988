"""The connection to the bus itself: the window of calls, deadlines, a socket that is full, a bus that is no bus."""

from __future__ import annotations

import asyncio
import contextlib
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from jeepney import DBusAddress, HeaderFields, Message, Parser, new_error, new_method_return, new_signal

from healthd.errors import AccessDenied, BusError, BusLost, BusTimeout, NoSuchUnit
from healthd.systemd.bus import WINDOW, Bus, Request
from healthd.systemd.wire import Incoming, Malformed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

PATIENCE = 20.0


class Peer:
    """The other end of a connection, by the protocol: lets anybody in, and echoes what it is called with.

    It reads only while `reads` is set. `silent` calls get no answer, `garbled` makes it answer with something else.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.reads = asyncio.Event()
        self.reads.set()
        self.silent: set[str] = set()
        self.failing: dict[str, tuple[str, str]] = {}
        self.garbled = False
        self.rejects = False
        self.calls: list[str] = []
        self.unanswered: list[Message] = []
        self.writers: list[asyncio.StreamWriter] = []
        self.called = asyncio.Event()

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[Peer]:
        server = await asyncio.start_unix_server(self._serve, self.path)
        async with server:
            yield self
            for writer in self.writers:
                writer.close()
        # Let the handlers see that their connections are closed.
        while tasks := [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]:
            await asyncio.wait(tasks)

    async def until_called(self, member: str, times: int = 1) -> None:
        while self.calls.count(member) < times:
            self.called.clear()
            await self.called.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n")
            writer.write(b"REJECTED KERBEROS\r\n" if self.rejects else b"OK 0123456789abcdef\r\n")
            await reader.readuntil(b"BEGIN\r\n")
            parser = Parser()
            while data := await reader.read(65536):
                for message in parser.feed(data):
                    self._answer(message, writer)
                await self.reads.wait()
        writer.close()

    def _answer(self, call: Message, writer: asyncio.StreamWriter) -> None:
        member = call.header.fields[HeaderFields.member]
        self.calls.append(member)
        self.called.set()
        if self.garbled and member != "Hello":
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        elif member in self.failing:
            name, text = self.failing[member]
            writer.write(new_error(call, name, "s", (text,)).serialise(serial=1))
        elif member == "Between":
            writer.write(shout("before") + new_method_return(call, "s", call.body).serialise(serial=1) + shout("after"))
        elif member in self.silent:
            self.unanswered.append(call)
        else:
            body = (":1.1",) if member == "Hello" else tuple(call.body)
            writer.write(new_method_return(call, "s" * len(body), body).serialise(serial=1))


def shout(word: str) -> bytes:
    return bytes(new_signal(DBusAddress("/", interface="a.b"), "Shout", "s", (word,)).serialise(serial=1))


def ask(member: str, *words: str) -> Request:
    return Request("a.b", "/", "a.b", member, "s" * len(words), words)


def with_a_peer(scene: Callable[[Peer], Awaitable[None]]) -> Callable[[Path, pytest.MonkeyPatch], None]:
    """Make a test of a coroutine function: the peer listens where the system bus would."""

    async def play(path: Path) -> None:
        async with asyncio.timeout(PATIENCE), Peer(path).serve() as peer:
            await scene(peer)

    def test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/bus")
        asyncio.run(play(tmp_path / "bus"))

    return test


async def connect(deadline: float = 5.0) -> Bus:
    return await Bus.connect(lambda message: None, deadline=deadline)


@with_a_peer
async def test_a_full_socket_holds_calls_back_and_loses_none(peer: Peer) -> None:
    bus = await connect()
    peer.reads.clear()
    words = ["x" * 100_000 + str(number) for number in range(WINDOW)]
    calls = [asyncio.create_task(bus.call(ask("Echo", word), deadline=PATIENCE)) for word in words]
    await asyncio.sleep(0)  # every call has been made
    assert bus._transport is not None
    assert bus._transport.get_write_buffer_size() > 1_000_000  # what the socket could not take is still here
    peer.reads.set()

    assert [body for (body,) in await asyncio.gather(*calls)] == words
    bus.close()


@with_a_peer
async def test_no_more_calls_are_out_than_the_window_lets(peer: Peer) -> None:
    bus = await connect()
    peer.silent.add("Wait")
    calls = [asyncio.create_task(bus.call(ask("Wait"), deadline=PATIENCE)) for _ in range(WINDOW)]
    last = asyncio.create_task(bus.call(ask("Last"), deadline=PATIENCE))
    await peer.until_called("Wait", WINDOW)
    assert "Last" not in peer.calls

    bus.close()
    ends = await asyncio.gather(*calls, last, return_exceptions=True)
    assert {type(end) for end in ends} == {BusLost}


@with_a_peer
async def test_calls_that_were_given_up_while_they_waited_are_not_made(peer: Peer) -> None:
    bus = await connect()
    peer.silent.add("Wait")
    calls = [asyncio.create_task(bus.call(ask("Wait"), deadline=PATIENCE)) for _ in range(WINDOW)]
    given_up = asyncio.create_task(bus.call(ask("GivenUp"), deadline=PATIENCE))
    await peer.until_called("Wait", WINDOW)
    given_up.cancel()
    await asyncio.wait([given_up])
    for call in peer.unanswered:
        peer.writers[0].write(new_method_return(call).serialise(serial=1))
    await asyncio.gather(*calls, bus.call(ask("Echo"), deadline=PATIENCE))

    assert "GivenUp" not in peer.calls
    bus.close()


@with_a_peer
async def test_a_call_without_an_answer_ends_at_its_deadline_and_takes_the_connection_with_it(peer: Peer) -> None:
    bus = await connect()
    peer.silent |= {"Never", "Later"}
    never = asyncio.create_task(bus.call(ask("Never"), deadline=0.05))
    later = asyncio.create_task(bus.call(ask("Later"), deadline=PATIENCE))

    with pytest.raises(BusTimeout, match=r"Never was not answered within 0\.05 s"):
        await never
    with pytest.raises(BusLost):
        await later
    with pytest.raises(BusLost):
        await bus.call(ask("Echo"), deadline=PATIENCE)


@with_a_peer
async def test_a_call_is_answered_though_we_stood_still_beyond_its_deadline(peer: Peer) -> None:
    """The timer is due and a long row of other answers lies in the socket, in front of this one."""
    bus = await connect()
    peer.silent.add("Long")
    calls = [asyncio.create_task(bus.call(ask("Long"), deadline=0.5)) for _ in range(WINDOW)]
    await peer.until_called("Long", WINDOW)
    for call in peer.unanswered:
        peer.writers[0].write(new_method_return(call, "s", ("x" * 50_000,)).serialise(serial=1))
    time.sleep(1.0)  # noqa: ASYNC251  as a SIGSTOP does

    assert await asyncio.gather(*calls) == [("x" * 50_000,)] * WINDOW
    bus.close()


@with_a_peer
async def test_a_call_that_was_cancelled_still_counts_until_it_is_answered(peer: Peer) -> None:
    bus = await connect()
    cancelled = asyncio.create_task(bus.call(ask("Echo", "a"), deadline=PATIENCE))
    await peer.until_called("Echo")
    cancelled.cancel()

    assert await bus.call(ask("Echo", "b"), deadline=PATIENCE) == ("b",)
    assert not bus.lost.done()
    bus.close()


@pytest.mark.parametrize(
    ("name", "text", "error"),
    [
        ("org.freedesktop.DBus.Error.AccessDenied", "Permission denied", AccessDenied),
        ("org.freedesktop.DBus.Error.InteractiveAuthorizationRequired", "Interactive ...", AccessDenied),
        ("org.freedesktop.systemd1.UnitMasked", "Unit polkit.service is masked.", AccessDenied),
        ("org.freedesktop.systemd1.NoSuchUnit", "Unit x.service not found.", NoSuchUnit),
        ("org.freedesktop.DBus.Error.NoReply", "Message recipient disconnected", BusLost),
        ("org.freedesktop.DBus.Error.TimedOut", "Timed out", BusTimeout),
    ],
)
def test_an_error_of_systemd_or_the_bus_is_one_of_our_own(
    name: str, text: str, error: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @with_a_peer
    async def scene(peer: Peer) -> None:
        bus = await connect()
        peer.failing["Fail"] = (name, text)
        with pytest.raises(error, match=text) as caught:
            await bus.call(ask("Fail"), deadline=PATIENCE)
        assert getattr(caught.value, "name", None) == name
        assert not bus.lost.done()
        bus.close()

    scene(tmp_path, monkeypatch)


@with_a_peer
async def test_a_peer_that_hangs_up_fails_every_call(peer: Peer) -> None:
    bus = await connect()
    peer.silent.add("Wait")
    waiting = asyncio.create_task(bus.call(ask("Wait"), deadline=PATIENCE))
    await peer.until_called("Wait")
    peer.writers[0].close()

    with pytest.raises(BusLost, match="the bus closed the connection"):
        await waiting
    assert str(await bus.lost) == "the bus closed the connection"


@with_a_peer
async def test_what_is_no_d_bus_ends_the_connection(peer: Peer) -> None:
    bus = await connect()
    peer.garbled = True

    with pytest.raises(BusLost, match="no D-Bus"):
        await bus.call(ask("Echo"), deadline=PATIENCE)


@with_a_peer
async def test_an_answer_that_cannot_be_read_ends_the_call_and_the_connection(peer: Peer) -> None:
    bus = await connect()

    def unreadable(_answer: Incoming) -> None:
        raise Malformed("another signature than expected")

    with pytest.raises(BusError, match="the answer to Echo is unreadable: another signature than expected"):
        await bus.ask(ask("Echo"), unreadable, deadline=PATIENCE)
    assert "another signature than expected" in str(await bus.lost)


@with_a_peer
async def test_a_bus_that_refuses_us_is_no_connection(peer: Peer) -> None:
    peer.rejects = True

    with pytest.raises(BusLost, match="refused"):
        await connect()


@with_a_peer
async def test_a_bus_that_never_greets_is_given_up(peer: Peer) -> None:
    peer.silent.add("Hello")

    with pytest.raises(BusTimeout):
        await connect(deadline=0.05)


@pytest.mark.parametrize("address", ["tcp:host=localhost,port=1", "nonsense", "unix:path=/nowhere/at/all"])
def test_an_address_without_a_bus_is_said(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)

    with pytest.raises(BusLost, match=r"nonsense|tcp|/nowhere"):
        asyncio.run(connect())


@with_a_peer
async def test_answers_are_read_between_the_signals_around_them(peer: Peer) -> None:
    seen: list[str] = []
    bus = await Bus.connect(lambda message: seen.append(message.text()), deadline=5)
    await bus.ask(ask("Between", "answer"), lambda message: seen.append(message.text()), deadline=PATIENCE)

    assert seen == ["before", "answer", "after"]
    bus.close()
