"""HTTP on real sockets, with clients that are slow, silent, greedy or mad."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import select
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from healthd.events import Event
from healthd.expose.api import Api
from healthd.expose.serve import local, serve
from healthd.expose.server import CONNECTIONS, Server, peer_uid
from healthd.expose.sockets import make_sockets
from healthd.expose.streams import Streams
from tests.fakes import FakeLog
from tests.integration.api_server import DEADLINE, read_all, read_answer, serving
from tests.unit.expose.fake_control import CONFIG, FakeControl

if TYPE_CHECKING:
    from pathlib import Path

LIVE = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"


def test_a_connection_carries_one_request_after_the_other(tmp_path: Path) -> None:
    with serving(tmp_path, FakeControl()) as served, served.connect() as client:
        for _ in range(3):
            client.sendall(LIVE)
            status, headers, body = read_answer(client)

            assert status == 200
            assert headers["content-type"] == "application/json; charset=utf-8"
            assert json.loads(body)["status"] == "alive"


def test_requests_sent_at_once_are_answered_in_order(tmp_path: Path) -> None:
    with serving(tmp_path, FakeControl()) as served, served.connect() as client:
        client.sendall(LIVE + b"GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

        answers = read_all(client)

    assert answers.index(b"200 OK") < answers.index(b"404 Not Found")


def test_a_client_that_asks_for_the_end_gets_it(tmp_path: Path) -> None:
    with serving(tmp_path, FakeControl()) as served, served.connect() as client:
        client.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

        assert read_all(client).startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_half_closed_client_still_gets_its_answer(tmp_path: Path) -> None:
    with serving(tmp_path, FakeControl()) as served, served.connect() as client:
        client.sendall(LIVE)
        client.shutdown(socket.SHUT_WR)

        assert b'"alive"' in read_all(client)


def test_an_old_client_is_served_and_let_go(tmp_path: Path) -> None:
    with serving(tmp_path, FakeControl()) as served, served.connect() as client:
        client.sendall(b"GET /health/live HTTP/1.0\r\n\r\n")

        assert b'"alive"' in read_all(client)


def test_head_tells_the_length_and_spares_the_body(tmp_path: Path) -> None:
    with serving(tmp_path, FakeControl()) as served, served.connect() as client:
        client.sendall(b"HEAD /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        head, _, body = read_all(client).partition(b"\r\n\r\n")

    assert b"200 OK" in head
    assert b"Content-Length: 0" not in head
    assert body == b""


def test_a_client_that_waits_for_leave_to_send_its_body_gets_it(tmp_path: Path) -> None:
    control = FakeControl()
    body = b'{"name": "nginx.service"}'
    with serving(tmp_path, control) as served, served.connect() as client:
        client.sendall(
            b"POST /api/v1/reset HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body)
        )
        assert client.recv(4096).startswith(b"HTTP/1.1 100 ")
        client.sendall(body)

        assert read_answer(client)[0] == 200


def test_a_body_may_come_in_chunks(tmp_path: Path) -> None:
    with serving(tmp_path, FakeControl()) as served, served.connect() as client:
        client.sendall(b"POST /api/v1/check HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        client.sendall(b'11\r\n{"name": "memory"\r\n1\r\n}\r\n0\r\n\r\n')

        assert read_answer(client)[0] == 200


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS hello\r\n\r\n",
        b"hello?\r\n\r\n",
        b"GET /health\r\n\r\n",
        b"GET /health HTTP/1.1\r\nno colon here\r\n\r\n",
        b"GET /health HTTP/1.1\r\n\r\n",
        b"POST /api/v1/check HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /api/v1/check HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\n",
        b"\x00" * 100 + b"\r\n\r\n",
    ],
)
def test_garbage_is_answered_with_400_and_the_door(tmp_path: Path, garbage: bytes) -> None:
    with serving(tmp_path, FakeControl()) as served, served.connect() as client:
        client.sendall(garbage)
        client.shutdown(socket.SHUT_WR)
        answer = read_all(client)

        assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
        assert b"Traceback" not in answer
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]
        assert served.log.records == []


def test_half_a_request_is_answered_with_400(tmp_path: Path) -> None:
    with serving(tmp_path, FakeControl()) as served, served.connect() as client:
        client.sendall(LIVE[:-5])
        client.shutdown(socket.SHUT_WR)

        assert read_all(client).startswith(b"HTTP/1.1 400 ")


def test_a_header_over_its_limit_is_refused(tmp_path: Path) -> None:
    with serving(tmp_path, FakeControl()) as served, served.connect() as client:
        client.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * 40_000)
        answer = read_all(client)

    assert answer.startswith(b"HTTP/1.1 431 ")
    assert b"16 KiB" in answer


@pytest.mark.parametrize(("length", "status"), [(16_000, b"200"), (16_500, b"431"), (20_000, b"431")])
def test_the_limit_of_a_header_is_the_same_when_it_comes_in_one_piece(
    tmp_path: Path, length: int, status: bytes
) -> None:
    with serving(tmp_path, FakeControl()) as served, served.connect() as client:
        client.sendall(LIVE[:-2] + b"X-Long: " + b"x" * length + b"\r\nConnection: close\r\n\r\n")

        assert read_all(client).startswith(b"HTTP/1.1 " + status)


@pytest.mark.parametrize("length", [b"65537", b"9" * 5000])
def test_a_body_that_is_announced_too_large_is_refused_unread(tmp_path: Path, length: bytes) -> None:
    with serving(tmp_path, FakeControl()) as served, served.connect() as client:
        client.sendall(b"POST /api/v1/heal HTTP/1.1\r\nHost: x\r\nContent-Length: %s\r\n\r\n" % length)
        answer = read_all(client)

        assert answer.startswith((b"HTTP/1.1 413 ", b"HTTP/1.1 400 "))
        assert served.log.records == []


def test_a_body_in_chunks_that_grows_too_large_is_refused(tmp_path: Path) -> None:
    control = FakeControl()
    with serving(tmp_path, control) as served, served.connect() as client:
        client.sendall(b"POST /api/v1/heal HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        client.sendall(b"%x\r\n%s\r\n" % (70_000, b"x" * 70_000))

        assert read_all(client).startswith(b"HTTP/1.1 413 ")
        assert control.told == []


def test_a_refused_client_that_goes_on_sending_still_gets_to_read_why(tmp_path: Path) -> None:
    with serving(tmp_path, FakeControl()) as served, served.connect() as client:
        client.sendall(b"POST /api/v1/heal HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\n" + b"x" * 500_000)

        assert read_all(client).startswith(b"HTTP/1.1 413 ")


def test_a_silent_client_is_let_go(tmp_path: Path) -> None:
    with serving(tmp_path, FakeControl(), idle=0.05) as served, served.connect() as client:
        assert read_all(client) == b""


def test_a_client_that_dribbles_is_told_that_it_is_too_slow(tmp_path: Path) -> None:
    with serving(tmp_path, FakeControl(), idle=0.5) as served, served.connect() as client:
        client.sendall(b"GET /hea")

        assert read_all(client).startswith(b"HTTP/1.1 408 ")


def test_a_client_that_never_reads_is_let_go(tmp_path: Path) -> None:
    control = FakeControl(settings={"much": "x" * 4_000_000})
    with serving(tmp_path, control, idle=0.5) as served, served.connect() as client:
        client.sendall(b"GET /api/v1/config HTTP/1.1\r\nHost: x\r\n\r\n")
        hang_up = select.poll()
        hang_up.register(client, select.POLLHUP)
        assert hang_up.poll(DEADLINE * 1000)

        assert len(read_all(client)) < 4_000_000


def test_a_client_that_hangs_up_in_the_middle_hurts_nobody(tmp_path: Path) -> None:
    control = FakeControl(settings={"much": "x" * 4_000_000})
    with serving(tmp_path, control) as served:
        with served.connect() as rude:
            rude.sendall(b"GET /api/v1/config HTTP/1.1\r\nHost: x\r\n\r\n")
            rude.recv(10)
        with served.connect() as client:
            client.sendall(LIVE)
            assert read_answer(client)[0] == 200
        assert served.log.records == []


def test_a_slow_client_does_not_hold_another_up(tmp_path: Path) -> None:
    with serving(tmp_path, FakeControl()) as served, served.connect() as slow, served.connect() as quick:
        slow.sendall(b"GET /hea")
        quick.sendall(LIVE)

        assert read_answer(quick)[0] == 200


def test_an_order_that_takes_long_does_not_hold_another_client_up(tmp_path: Path) -> None:
    control = FakeControl(gate=asyncio.Event())
    with serving(tmp_path, control) as served, served.connect() as patient, served.connect() as quick:
        body = b'{"name": "nginx.service"}'
        patient.sendall(b"POST /api/v1/heal HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        quick.sendall(LIVE)

        assert read_answer(quick)[0] == 200


def test_a_hundred_clients_at_once_are_all_answered(tmp_path: Path) -> None:
    with serving(tmp_path, FakeControl()) as served:

        def one(_: int) -> int:
            with served.connect() as client:
                client.sendall(b"GET /api/v1/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                return read_answer(client)[0]

        with ThreadPoolExecutor(100) as pool:
            assert set(pool.map(one, range(100))) == {200}


def test_clients_that_dawdle_make_room_when_the_house_is_full(tmp_path: Path) -> None:
    with serving(tmp_path, FakeControl(), patience=0.05) as served:
        silent = [served.connect() for _ in range(CONNECTIONS)]
        try:
            with served.connect() as client:
                client.sendall(LIVE)

                assert read_answer(client)[0] == 200
            assert read_all(silent[0]) == b""
        finally:
            for one in silent:
                one.close()


def test_a_full_socket_does_not_fill_the_other_one(tmp_path: Path) -> None:
    with serving(tmp_path, FakeControl(), patience=DEADLINE) as served:
        silent = [served.connect(served.read_path) for _ in range(CONNECTIONS)]
        try:
            with served.connect() as client:
                client.sendall(LIVE)

                assert read_answer(client)[0] == 200
        finally:
            for one in silent:
                one.close()


def test_a_bug_costs_its_own_connection_and_is_logged_with_its_traceback(tmp_path: Path) -> None:
    bug = LookupError("a bug")
    with serving(tmp_path, FakeControl(fault=bug)) as served:
        with served.connect() as client:
            client.sendall(b"GET /api/v1/doctor HTTP/1.1\r\nHost: x\r\n\r\n")
            assert read_all(client) == b""
        with served.connect() as client:
            client.sendall(LIVE)
            assert read_answer(client)[0] == 200

        assert [record.error for record in served.log.of(Event.API_REQUEST)] == [bug]


def test_a_shortage_of_descriptors_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("healthd.expose.server._SHORTAGE_SECONDS", 0.01)
    with serving(tmp_path, FakeControl()) as served:
        assert served.loop is not None
        accept = served.loop.sock_accept
        failures = [OSError(errno.EMFILE, "Too many open files"), ConnectionAbortedError()]

        async def short(listener: socket.socket) -> Any:
            if failures:
                raise failures.pop()
            return await accept(listener)

        monkeypatch.setattr(served.loop, "sock_accept", short)
        for _ in range(3):
            with served.connect() as client:
                client.sendall(LIVE)
                assert read_answer(client)[0] == 200
        assert failures == []


def test_a_listener_that_is_none_is_a_bug_and_not_hidden() -> None:
    with socket.socket(socket.AF_UNIX) as listener, pytest.raises(OSError, match="Invalid argument"):
        asyncio.run(Server(listener, local(listener), Api(FakeControl(), FakeLog()).answer, FakeLog()).run())


def test_the_kernel_tells_no_user_on_a_socket_of_another_kind() -> None:
    with socket.socket(socket.AF_INET) as tcp:
        assert peer_uid(tcp) is None


def test_orders_that_fill_the_house_are_not_cut_off(tmp_path: Path) -> None:
    control = FakeControl(gate=asyncio.Event())
    body = b'{"name": "x"}'
    order = b"POST /api/v1/heal HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    with serving(tmp_path, control, patience=0.02) as served, ExitStack() as clients:
        busy = [clients.enter_context(served.connect()) for _ in range(CONNECTIONS)]
        for one in busy:
            one.sendall(order)
        with served.connect() as late:
            late.sendall(LIVE)
            late.settimeout(0.1)
            with pytest.raises(TimeoutError):
                late.recv(1)
            assert served.loop is not None
            assert control.gate is not None
            served.loop.call_soon_threadsafe(control.gate.set)
            late.settimeout(DEADLINE)
            assert read_answer(late)[0] == 200
        assert {read_answer(one)[0] for one in busy[CONNECTIONS // 2 :]} == {200}


def test_the_two_sockets_give_what_their_names_promise(tmp_path: Path) -> None:
    request = b"GET /api/v1/config HTTP/1.1\r\nHost: x\r\n\r\n"
    with serving(tmp_path, FakeControl()) as served:
        with served.connect(served.path) as client:
            client.sendall(request)
            status, _, body = read_answer(client)
            assert (status, json.loads(body)) == (200, CONFIG)
        with served.connect(served.read_path) as client:
            client.sendall(request)
            assert read_answer(client)[0] == 403


def test_who_orders_is_told_by_the_kernel(tmp_path: Path) -> None:
    control = FakeControl()
    with serving(tmp_path, control) as served, served.connect() as client:
        client.sendall(b"POST /api/v1/check HTTP/1.1\r\nHost: x\r\nX-Healthd-By: eve\r\nContent-Length: 0\r\n\r\n")
        read_answer(client)

    assert control.told == [("check", None, f"eve (claimed, uid {os.getuid()})")]


def test_serving_ends_with_its_task_and_leaves_nothing_behind(tmp_path: Path) -> None:
    async def run() -> set[asyncio.Task[object]]:
        listeners = make_sockets(tmp_path)
        task = asyncio.create_task(serve(listeners, Api(FakeControl(), FakeLog()).answer, Streams(), FakeLog()))
        reader, writer = await asyncio.open_unix_connection(tmp_path / "healthd.sock")
        writer.write(LIVE)
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        task.cancel()
        await asyncio.wait({task}, timeout=DEADLINE)
        assert task.cancelled()
        writer.close()
        for listener in listeners:
            listener.close()
        return asyncio.all_tasks() - {asyncio.current_task()}

    assert asyncio.run(run()) == set()
