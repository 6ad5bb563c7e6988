"""The sockets that systemd opened for us (healthd.socket), by the protocol of sd_listen_fds(3).

These few lines stand for systemd.daemon, which costs up to 0.8 MiB for them (docs/adr/0006-systemd-python.md).
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import MutableMapping

_FIRST = 3  # SD_LISTEN_FDS_START


@dataclass(frozen=True, slots=True, kw_only=True)
class Inherited:
    """A listening socket and what it is bound to: a path, or `address:port` (`[address]:port` for IPv6)."""

    socket: socket.socket
    name: str


def inherited(environ: MutableMapping[str, str] = os.environ, *, first: int = _FIRST) -> tuple[Inherited, ...]:
    """The sockets handed to this process, in the order of the socket unit; none without a socket unit.

    Can be asked once: the variables are taken out of `environ`, and the sockets belong to the caller.
    Raises `OSError` if a descriptor is no socket.
    """
    pid, count = environ.pop("LISTEN_PID", ""), environ.pop("LISTEN_FDS", "")
    environ.pop("LISTEN_FDNAMES", None)
    if pid != str(os.getpid()) or not count.isdecimal():
        return ()
    return tuple(_adopt(fd) for fd in range(first, first + int(count)))


def _adopt(fd: int) -> Inherited:
    os.set_inheritable(fd, False)
    sock = socket.socket(fileno=fd)
    sock.setblocking(False)
    return Inherited(socket=sock, name=_name(sock.getsockname()))


def _name(bound: str | bytes | tuple[str, int]) -> str:
    if isinstance(bound, tuple):
        host, port = bound[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return os.fsdecode(bound)
