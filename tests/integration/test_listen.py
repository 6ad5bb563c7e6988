from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from healthd.systemd.listen import inherited

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FIRST = 200  # far from what the test runner itself holds open


@pytest.fixture
def hand_over() -> Iterator[list[socket.socket]]:
    """Listening sockets put here are handed over from descriptor FIRST on."""
    sockets: list[socket.socket] = []
    yield sockets
    for sock in sockets:
        sock.close()


def listening(family: socket.AddressFamily, address: str | tuple[str, int]) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.bind(address)
    sock.listen()
    return sock


def environment(sockets: list[socket.socket], pid: int | None = None) -> dict[str, str]:
    for number, sock in enumerate(sockets):
        os.dup2(sock.fileno(), FIRST + number, inheritable=True)
    return {
        "LISTEN_PID": str(pid or os.getpid()),
        "LISTEN_FDS": str(len(sockets)),
        "LISTEN_FDNAMES": "a:b",
        "HOME": "/",
    }


def test_each_socket_is_told_by_what_it_is_bound_to(hand_over: list[socket.socket], tmp_path: Path) -> None:
    path = str(tmp_path / "healthd.sock")
    hand_over += [
        listening(socket.AF_UNIX, path),
        listening(socket.AF_INET, ("127.0.0.1", 0)),
        listening(socket.AF_INET6, ("::1", 0)),
    ]
    ports = [sock.getsockname()[1] for sock in hand_over[1:]]

    found = inherited(environment(hand_over), first=FIRST)

    assert [entry.name for entry in found] == [path, f"127.0.0.1:{ports[0]}", f"[::1]:{ports[1]}"]
    for entry in found:
        entry.socket.close()


def test_a_socket_takes_connections_without_blocking_and_stays_in_this_process(
    hand_over: list[socket.socket], tmp_path: Path
) -> None:
    path = str(tmp_path / "healthd.sock")
    hand_over.append(listening(socket.AF_UNIX, path))
    (found,) = inherited(environment(hand_over), first=FIRST)

    with found.socket as sock:
        assert not sock.getblocking()
        assert not sock.get_inheritable()
        with pytest.raises(BlockingIOError):
            sock.accept()
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(path)
            accepted, _ = sock.accept()
            accepted.close()


def test_the_variables_are_taken_out_so_that_nobody_takes_the_sockets_twice(
    hand_over: list[socket.socket], tmp_path: Path
) -> None:
    hand_over.append(listening(socket.AF_UNIX, str(tmp_path / "healthd.sock")))
    environ = environment(hand_over)

    (found,) = inherited(environ, first=FIRST)
    found.socket.close()

    assert environ == {"HOME": "/"}
    assert inherited(environ, first=FIRST) == ()


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"LISTEN_FDS": "1"},
        {"LISTEN_PID": "1", "LISTEN_FDS": "1"},
        {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "many"},
        {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "0"},
    ],
)
def test_sockets_meant_for_nobody_or_for_another_process_are_left_alone(environ: dict[str, str]) -> None:
    assert inherited(environ, first=FIRST) == ()
