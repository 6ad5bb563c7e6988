"""Lends the ports of a virtual machine, one at a time, to the processes that run commands in it."""

import contextlib
import queue
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

PORTS = tuple(f"throwaway.{number}" for number in range(12))
"""Their names. So many commands can run at once."""


@contextmanager
def lend(sockets: Sequence[Path], lender: Path) -> Iterator[None]:
    """Lends these ports through the socket `lender` while the block is open.

    A port stays connected while nobody has it: qemu would drop what the machine writes to it. One that is given back
    without a word (its borrower was killed) is not clean: it is closed, and the command that runs behind it killed.
    """
    with ExitStack() as held:
        free: queue.SimpleQueue[socket.socket] = queue.SimpleQueue()
        for path in sockets:
            port = held.enter_context(socket.socket(socket.AF_UNIX))
            port.connect(str(path))
            free.put(port)
        listener = held.enter_context(socket.socket(socket.AF_UNIX))
        listener.bind(str(lender))
        listener.listen()
        threading.Thread(target=_accept, args=(listener, free), daemon=True).start()
        try:
            yield
        finally:
            listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, free: "queue.SimpleQueue[socket.socket]") -> None:
    while True:
        try:
            borrower, _ = listener.accept()
        except OSError:  # the listener was closed: the block has ended
            return
        threading.Thread(target=_lend_to, args=(borrower, free), daemon=True).start()


def _lend_to(borrower: socket.socket, free: "queue.SimpleQueue[socket.socket]") -> None:
    port = free.get()
    clean = b""
    with borrower, contextlib.suppress(OSError):
        socket.send_fds(borrower, [b"."], [port.fileno()])
        clean = borrower.recv(1)
    if clean:
        free.put(port)
    else:
        port.close()
