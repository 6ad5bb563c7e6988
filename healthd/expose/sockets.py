"""The two Unix sockets: what each is for, and how to make them where no socket unit does."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING, Final

from healthd.errors import HealthdError
from healthd.expose.message import EVERYTHING, OUTLINES

if TYPE_CHECKING:
    from healthd.expose.message import Right

FULL_NAME: Final = "healthd.sock"
READ_NAME: Final = "healthd-read.sock"
_MODES: Final = {FULL_NAME: 0o660, READ_NAME: 0o666}
_BACKLOG: Final = 128


def rights_of(listener: socket.socket) -> frozenset[Right]:
    """What clients of this socket may do. Only the name that is known to be guarded by its mode gives full access."""
    if listener.family == socket.AF_UNIX and Path(listener.getsockname()).name == FULL_NAME:
        return EVERYTHING
    return OUTLINES


def make_sockets(directory: Path) -> tuple[socket.socket, socket.socket]:
    """The full and the read socket, listening below `directory`, which is made if need be.

    Only for the foreground: under systemd the socket unit makes them. A socket file that a dead daemon left is
    replaced; one that somebody serves raises HealthdError, and so does a directory that cannot be used.
    """
    try:
        directory.mkdir(mode=0o755, parents=True, exist_ok=True)
        full = _listen(directory / FULL_NAME)
        try:
            return full, _listen(directory / READ_NAME)
        except OSError:
            full.close()
            raise
    except OSError as error:
        raise HealthdError(f"cannot make the sockets in {directory}: {error.strerror or error}") from error


def _listen(path: Path) -> socket.socket:
    _remove_stale(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(str(path))
        # Nobody can connect before listen(): the mode is right before the door opens.
        path.chmod(_MODES[path.name])
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def _remove_stale(path: Path) -> None:
    if not path.is_socket():
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
        except BlockingIOError:
            pass  # its backlog is full, so somebody does listen
    raise OSError(f"{path} is in use: another healthd runs")
