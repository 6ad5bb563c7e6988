"""Carries connections from a port of this machine's loopback into the private network of a host.

The host shares no network with this machine. A thread may belong to another network than its process, and a socket
stays in the network that it was made in: so a thread of its own enters the host's network, connects there, and relays.
"""

import ctypes
import os
import socket
import threading
from types import TracebackType
from typing import Self

_CLONE_NEWNET = 0x40000000
_CHUNK = 65536


class Forwarder:
    """Listens on 127.0.0.1:`local` while the block is open; every connection goes to 127.0.0.1:`port` in the host."""

    def __init__(self, *, leader: int, port: int, local: int = 0) -> None:
        self._network = os.open(f"/proc/{leader}/ns/net", os.O_RDONLY)
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", local))
        self.local: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        os.close(self._network)

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:  # the listener was closed: the block has ended
                return
            threading.Thread(target=self._carry, args=(near,), daemon=True).start()

    def _carry(self, near: socket.socket) -> None:
        with near:
            try:
                enter_network(self._network)
                far = socket.create_connection(("127.0.0.1", self._port))
            except OSError:  # nobody listens in the host: the client sees its connection closed
                return
            with far:
                back = threading.Thread(target=_relay, args=(far, near), daemon=True)
                back.start()
                _relay(near, far)
                back.join()


def enter_network(namespace: int) -> None:
    """Moves the calling thread, and only it, into the network `namespace` (an open descriptor)."""
    if ctypes.CDLL(None, use_errno=True).setns(namespace, _CLONE_NEWNET) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


def _relay(source: socket.socket, sink: socket.socket) -> None:
    """Copies until `source` ends, then tells `sink` so; the other direction may go on."""
    try:
        while chunk := source.recv(_CHUNK):
            sink.sendall(chunk)
        sink.shutdown(socket.SHUT_WR)
    except OSError:  # either end broke off: the reader of the other direction sees it too
        return
