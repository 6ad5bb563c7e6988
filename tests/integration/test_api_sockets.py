"""The sockets that healthd makes for itself in the foreground."""

from __future__ import annotations

import socket
import stat
from typing import TYPE_CHECKING

import pytest

from healthd.errors import HealthdError
from healthd.expose.message import EVERYTHING, OUTLINES
from healthd.expose.sockets import make_sockets, rights_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def made(tmp_path: Path) -> Iterator[tuple[socket.socket, socket.socket]]:
    sockets = make_sockets(tmp_path / "run")
    yield sockets
    for one in sockets:
        one.close()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_full_socket_is_for_the_group_and_the_read_socket_for_all(
    tmp_path: Path, made: tuple[socket.socket, socket.socket]
) -> None:
    assert mode(tmp_path / "run/healthd.sock") == 0o660
    assert mode(tmp_path / "run/healthd-read.sock") == 0o666


def test_only_the_full_socket_gives_full_access(made: tuple[socket.socket, socket.socket]) -> None:
    full, read = made

    assert rights_of(full) is EVERYTHING
    assert rights_of(read) is OUTLINES


def test_a_socket_of_any_other_name_or_kind_gives_no_full_access(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as other, socket.socket(socket.AF_INET) as tcp:
        other.bind(str(tmp_path / "other.sock"))

        assert rights_of(other) is OUTLINES
        assert rights_of(tcp) is OUTLINES


def test_sockets_that_a_dead_daemon_left_are_replaced(tmp_path: Path) -> None:
    for one in make_sockets(tmp_path):
        one.close()

    again = make_sockets(tmp_path)

    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(tmp_path / "healthd.sock"))
    for one in again:
        one.close()


def test_sockets_that_somebody_serves_are_left_alone(tmp_path: Path, made: tuple[socket.socket, socket.socket]) -> None:
    with pytest.raises(HealthdError, match="another healthd runs"):
        make_sockets(tmp_path / "run")


def test_a_socket_that_cannot_be_made_leaves_its_sister_closed(tmp_path: Path) -> None:
    (tmp_path / "healthd-read.sock").mkdir()

    with pytest.raises(HealthdError, match="Address already in use"):
        make_sockets(tmp_path)

    with socket.socket(socket.AF_UNIX) as client, pytest.raises(ConnectionRefusedError):
        client.connect(str(tmp_path / "healthd.sock"))


def test_a_socket_whose_queue_is_full_is_somebody_elses(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as busy, socket.socket(socket.AF_UNIX) as waiting:
        busy.bind(str(tmp_path / "healthd.sock"))
        busy.listen(0)
        waiting.connect(str(tmp_path / "healthd.sock"))

        with pytest.raises(HealthdError, match="another healthd runs"):
            make_sockets(tmp_path)


def test_a_directory_that_cannot_be_used_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(HealthdError, match="cannot make the sockets in"):
        make_sockets(tmp_path / "file/below")
