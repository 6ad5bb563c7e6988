"""TCP listeners: who is served where, ports that are taken, given up and got back, reloads, and clients in masses."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from healthd.config import HttpSettings
from healthd.events import Event
from healthd.expose.listeners import LIMITS, Pauses
from healthd.expose.server import Server
from tests.fake_units import service
from tests.integration.tcp_front import Tcp, free_port, receive, send, tcp

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

CHANGED = Event.LISTENER_CHANGED


def on_tcp(scene: Callable[[Tcp], Awaitable[None]]) -> Callable[[Path], None]:
    """Make a test of a coroutine function: one address is served."""

    async def play(directory: Path) -> None:
        async with tcp(directory) as stage:
            await scene(stage)

    def test(tmp_path: Path) -> None:
        asyncio.run(play(tmp_path))

    test.__name__ = getattr(scene, "__name__", "test")
    return test


def at(*ports: int, metrics: tuple[int, ...] = ()) -> HttpSettings:
    return HttpSettings(
        listen=tuple(f"127.0.0.1:{port}" for port in ports),
        metrics_listen=tuple(f"127.0.0.1:{port}" for port in metrics),
        rate_limit_per_minute=0,
    )


def taken() -> tuple[socket.socket, int]:
    """A port that another program serves."""
    other = socket.create_server(("127.0.0.1", 0))
    return other, other.getsockname()[1]


@on_tcp
async def test_probes_need_no_key_and_the_rest_does(stage: Tcp) -> None:
    assert (await stage.get("/health/ready"))[1]["version"] == "1.x.x"
    assert (await stage.get("/health"))[0] == 401
    assert (await stage.get("/health", "reader"))[1]["version"] == "0.1.0"
    assert (await stage.get("/api/v1/check", "reader", method="POST"))[0] == 403
    assert (await stage.get("/api/v1/check", "boss", method="POST"))[0] == 200


def test_both_kinds_of_addresses_may_be_named_for_one_port(tmp_path: Path) -> None:
    async def scene() -> None:
        port = free_port()
        http = HttpSettings(listen=(f"0.0.0.0:{port}", f"[::]:{port}"), metrics_listen=())
        async with tcp(tmp_path, http, port=port) as stage:
            await asyncio.sleep(0.3)
            assert all(one.ok for one in stage.front.diagnoses())
            assert stage.log.of(CHANGED) == []

    asyncio.run(scene())


@on_tcp
async def test_every_answer_is_counted_by_method_and_status(stage: Tcp) -> None:
    await stage.get("/health/live")
    await stage.get("/health")
    await stage.get("/health", method="BREW")

    assert stage.front.requests == {("GET", 200): 1, ("GET", 401): 1, ("other", 401): 1}


@on_tcp
async def test_what_is_no_request_is_refused_and_recorded(stage: Tcp) -> None:
    reader, writer = await stage.connect()
    writer.write(b"\x16\x03\x01 a TLS hello\r\n\r\n")

    assert (await receive(reader))[0] == 400
    (record,) = stage.log.of(Event.API_REQUEST)
    assert record.message.startswith("what is no request by 127.0.0.1 without a key: ")
    assert record.fields["http_status"] == 400


def test_an_address_in_both_lists_serves_both(tmp_path: Path) -> None:
    async def scene() -> None:
        both, only = free_port(), free_port()
        async with tcp(tmp_path, at(both, metrics=(both, only)), port=both, wait=False) as stage:
            await stage.until_served(both, only)
            assert (await stage.get("/metrics"))[0] == 200
            assert (await stage.get("/health/live"))[0] == 200
            assert (await stage.get("/metrics", port=only))[0] == 200
            assert (await stage.get("/health/live", port=only))[0] == 404
            assert stage.diagnosis(f"tcp 127.0.0.1:{only}").text == "serving metrics over HTTP"

    asyncio.run(scene())


@pytest.mark.parametrize(
    ("host", "peer", "seen"),
    [
        ("[::1]", "::1", {"::1"}),
        ("localhost", "localhost", {"::1", "127.0.0.1"}),
        ("[::]", "::1", {"::1"}),
        ("[::]", "127.0.0.1", {"127.0.0.1"}),
        ("0.0.0.0", "127.0.0.1", {"127.0.0.1"}),
    ],
)
def test_ipv6_and_names_are_served_too(tmp_path: Path, host: str, peer: str, seen: set[str]) -> None:
    async def scene() -> None:
        port = free_port()
        http = HttpSettings(listen=(f"{host}:{port}",), metrics_listen=())
        async with tcp(tmp_path, http, port=port) as stage:
            reader, writer = await asyncio.open_connection(peer, port)
            await send(writer, "/health/ready")
            assert (await receive(reader))[0] == 200
            assert stage.log.of(Event.API_REQUEST)[0].fields["client"] in seen
            writer.close()

    asyncio.run(scene())


def test_a_port_that_is_taken_is_said_once_tried_again_and_said_when_it_is_got(tmp_path: Path) -> None:
    async def scene() -> None:
        other, port = taken()
        well = free_port()
        async with tcp(tmp_path, at(port, well), port=well, wait=False) as stage:
            record = await stage.heard(CHANGED, reason="port_taken")
            assert f"127.0.0.1:{port} is not served: another program has this port" in record.message
            assert "ss -ltnp" in record.message
            await stage.until_served(well)
            assert (await stage.get("/health/live"))[0] == 200  # nothing else suffers
            assert stage.diagnosis(f"tcp 127.0.0.1:{port}").ok is False
            await asyncio.sleep(0.3)  # several tries
            assert len(stage.log.of(CHANGED)) == 1
            other.close()
            await stage.heard(CHANGED, reason="served")
            assert (await stage.get("/health/live", port=port))[0] == 200
            assert stage.diagnosis(f"tcp 127.0.0.1:{port}").ok is True

    asyncio.run(scene())


def test_a_port_that_is_free_for_a_moment_only_is_left_to_who_comes_back(tmp_path: Path) -> None:
    async def scene() -> None:
        other, port = taken()
        pauses = Pauses(retry=0.02, free=1.5)
        async with tcp(tmp_path, at(port), port=port, wait=False, pauses=pauses) as stage:
            await stage.heard(CHANGED, reason="port_taken")
            other.close()
            await asyncio.sleep(0.2)  # it is seen to be free
            other = socket.create_server(("127.0.0.1", port))
            await asyncio.sleep(2)
            assert not stage.front.listeners.held()
            other.close()
            await stage.heard(CHANGED, reason="served")
            assert len(stage.log.of(CHANGED)) == 2

    asyncio.run(scene())


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("203.0.113.7:18080", "this host has no such address"),
        ("nowhere.invalid:18080", "the name means nothing here"),
        ("a..b:18080", "the name means nothing here"),
    ],
)
def test_an_address_that_is_not_here_says_so(tmp_path: Path, address: str, words: str) -> None:
    async def scene() -> None:
        http = HttpSettings(listen=(address,), metrics_listen=())
        async with tcp(tmp_path, http, wait=False) as stage:
            assert words in (await stage.heard(CHANGED, reason="no_address")).message

    asyncio.run(scene())


@pytest.mark.parametrize(
    ("error", "reason"), [(OSError(22, "Invalid argument"), "cannot_listen"), (RuntimeError("a bug"), "fault")]
)
def test_an_address_at_which_nothing_can_be_accepted_any_more_is_said_and_opened_anew(
    error: Exception, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, runs = Server.run, []

    async def breaking(server: Server) -> None:
        runs.append(server)
        if len(runs) == 1:
            raise error
        await run(server)

    async def scene() -> None:
        monkeypatch.setattr(Server, "run", breaking)
        async with tcp(tmp_path) as stage:
            await stage.heard(CHANGED, reason="served")
            assert [record.fields["reason"] for record in stage.log.of(CHANGED)] == [reason, "served"]
            assert (await stage.get("/health/ready"))[0] == 200

    asyncio.run(scene())


def test_a_unit_that_fails_for_the_port_gets_it_and_healthd_comes_back_when_it_is_free(tmp_path: Path) -> None:
    async def scene() -> None:
        async with tcp(tmp_path) as stage:
            stage.units.wrote("web.service", "first", f"listen tcp :{stage.port}: bind: address already in use")
            stage.units.put(service("web.service", active="failed", sub="failed", result="exit-code"))
            record = await stage.heard(CHANGED, reason="given_up")
            assert record.fields["unit"] == "web.service"
            await stage.until_served()
            other = socket.create_server(("127.0.0.1", stage.port))  # the unit, healed
            assert "left this address to web.service" in stage.diagnosis(f"tcp 127.0.0.1:{stage.port}").text
            await asyncio.sleep(0.5)
            assert len(stage.log.of(CHANGED)) == 1  # that it has the port is no news
            other.close()
            await stage.heard(CHANGED, reason="served")

    asyncio.run(scene())


@on_tcp
async def test_a_reload_adds_and_takes_away_and_leaves_in_peace_what_stays(stage: Tcp) -> None:
    reader, writer = await stage.connect()
    more = free_port()
    stage.front.configure(at(stage.port, more))
    await stage.until_served(stage.port, more)
    await send(writer, "/health/live")
    assert (await receive(reader))[0] == 200

    stage.front.configure(at(more))
    await stage.until_served(more)
    assert await reader.read() == b""
    with pytest.raises(ConnectionError):
        await stage.connect()


@on_tcp
async def test_a_reload_changes_what_an_address_is_for(stage: Tcp) -> None:
    stage.front.configure(at(metrics=(stage.port,)))

    assert (await stage.get("/metrics"))[0] == 200
    assert (await stage.get("/health/live"))[0] == 404


@on_tcp
async def test_a_reload_reads_keys_anew_and_tells_what_is_wrong_with_them(stage: Tcp) -> None:
    stage.front._keys_file.write_text("reader everything nothing\n")
    stage.front.configure(at(stage.port))

    assert (await stage.get("/health", "reader"))[0] == 401
    (record,) = stage.log.of(Event.CONFIG_RELOADED)
    assert "api-keys:1: the scopes are not of read, control, heartbeat" in record.message
    assert stage.diagnosis("api keys").ok is False


@on_tcp
async def test_five_hundred_idle_clients_disturb_nobody(stage: Tcp) -> None:
    idle = [await stage.connect() for _ in range(500)]
    loop = asyncio.get_running_loop()
    before = loop.time()

    assert (await stage.get("/health/ready"))[0] == 200
    assert loop.time() - before < 5  # they have not been waited for
    open_ones = [reader for reader, _ in idle if not reader.at_eof()]
    assert len(open_ones) <= LIMITS.of_one_client
    for _, writer in idle:
        writer.close()


@on_tcp
async def test_clients_that_dribble_disturb_nobody(stage: Tcp) -> None:
    for _ in range(LIMITS.of_one_client):
        _, writer = await stage.connect()
        writer.write(b"GET /health/ready HTTP/1.1\r\nX-Slow: ")

    assert (await stage.get("/health/ready"))[0] == 200


@on_tcp
async def test_the_limits_of_header_and_body_hold(stage: Tcp) -> None:
    reader, writer = await stage.connect()
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * 40_000)
    assert (await receive(reader))[0] == 431

    reader, writer = await stage.connect()
    writer.write(b"POST /api/v1/heal HTTP/1.1\r\nHost: x\r\nContent-Length: 70000\r\n\r\n")
    assert (await receive(reader))[0] == 413


@on_tcp
async def test_answers_go_out_at_once(stage: Tcp) -> None:
    await stage.get("/health/live")
    reader, writer = await stage.connect()
    for _ in range(50):  # with Nagle's algorithm and delayed acknowledgements each would take 40 ms
        await send(writer, "/health/live")
        await receive(reader)


def test_the_rate_limit_is_that_of_the_configuration(tmp_path: Path) -> None:
    async def scene() -> None:
        port = free_port()
        async with tcp(tmp_path, replace(at(port), rate_limit_per_minute=3), port=port) as stage:
            assert [(await stage.get("/health/ready"))[0] for _ in range(5)] == [200, 200, 200, 429, 429]
            assert (await stage.get("/health/live"))[0] == 200

    asyncio.run(scene())
