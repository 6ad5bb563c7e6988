"""Both ends of the way into a virtual machine; it stands alone, since the machine has a copy of it.

`link.py serve PORT...` runs in the machine and serves each virtio port with one command at a time. `link.py enter
LENDER ARGV...` runs a command there as nsenter runs one in a container: stdin, stdout, stderr and the status are the
command's. LENDER is the socket that lends a port of the machine (`ports.py`).

What they say to each other is a kind (one byte), a length (four), the content. To the machine: RUN with the command as
JSON, then INPUT for its stdin, an empty one at its end. From there: OUTPUT and ERROR, and at the end EXIT with its
status.
"""

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

RUN, INPUT, OUTPUT, ERROR, EXIT = b"r", b"i", b"o", b"e", b"x"


def send(write: Callable[[bytes], int], kind: bytes, content: bytes) -> None:
    """Writes one frame, however little `write` takes at a time."""
    left = memoryview(kind + len(content).to_bytes(4, "big") + content)
    while left:
        left = left[write(left.tobytes()) :]


def receive(read: Callable[[int], bytes]) -> tuple[bytes, bytes] | None:
    """Reads one frame; None at the end."""
    if not (head := _exactly(read, 5)):
        return None
    return head[:1], _exactly(read, int.from_bytes(head[1:], "big"))


def _exactly(read: Callable[[int], bytes], size: int) -> bytes:
    """So many bytes; none at all at the end."""
    whole = b""
    while len(whole) < size:
        part = read(size - len(whole))
        if not part:
            return b""
        whole += part
    return whole


# In the machine


class Port:
    """One port; `serve` ends when nobody is at its other end any more, and with it the command that runs."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR)
        self._sending = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None

    def serve(self) -> None:
        """Runs what is asked for."""
        while frame := receive(lambda size: os.read(self._file, size)):
            kind, content = frame
            if kind == RUN:
                self._run(json.loads(content))
            elif kind == INPUT:
                self._input(content)
        if self._child is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._child.pid, signal.SIGKILL)

    def _run(self, argv: list[str]) -> None:
        pipe = subprocess.PIPE
        try:
            child = subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=pipe, cwd="/", start_new_session=True)
        except OSError as error:
            self._send(ERROR, f"{argv[0]}: {error.strerror}\n".encode())
            self._send(EXIT, b"127")
            return
        self._child = child
        threading.Thread(target=self._finish, args=(child,), daemon=True).start()

    def _input(self, content: bytes) -> None:
        if self._child is None or self._child.stdin is None or self._child.stdin.closed:
            return
        with contextlib.suppress(BrokenPipeError):  # the command does not want it any more
            self._child.stdin.write(content)
            self._child.stdin.flush()
        if not content:
            with contextlib.suppress(BrokenPipeError):
                self._child.stdin.close()

    def _finish(self, child: "subprocess.Popen[bytes]") -> None:
        """Hands over all output, then the status."""
        streams = [(OUTPUT, child.stdout), (ERROR, child.stderr)]
        descriptors = [(kind, stream.fileno()) for kind, stream in streams if stream is not None]
        threads = [threading.Thread(target=self._forward, args=each, daemon=True) for each in descriptors]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self._send(EXIT, str(child.wait()).encode())

    def _forward(self, kind: bytes, stream: int) -> None:
        while content := os.read(stream, 65536):
            self._send(kind, content)

    def _send(self, kind: bytes, content: bytes) -> None:
        with self._sending:
            send(lambda data: os.write(self._file, data), kind, content)


def serve(names: list[str]) -> None:
    """Serves these ports until the machine ends."""
    for name in names:
        path = Path("/dev/virtio-ports") / name
        while not path.exists():
            time.sleep(0.05)
        threading.Thread(target=Port(path).serve, daemon=True).start()
    threading.Event().wait()


# On this machine


def enter(lender_path: str, argv: list[str]) -> int:
    """Borrows a port, carries everything to and fro, and says that it is left clean."""
    with socket.socket(socket.AF_UNIX) as lender:
        lender.connect(lender_path)
        _, (descriptor,), _, _ = socket.recv_fds(lender, 1, 1)
        with socket.socket(fileno=descriptor) as port:
            status = _carry(port, argv)
        lender.sendall(b".")
    return status if status >= 0 else 128 - status


def _carry(port: socket.socket, argv: list[str]) -> int:
    send(port.send, RUN, json.dumps(argv).encode())
    sources: list[int | socket.socket] = [0, port]
    while True:
        ready = select.select(sources, [], [])[0]
        if 0 in ready:
            content = os.read(0, 65536)
            send(port.send, INPUT, content)
            if not content:
                sources.remove(0)
        if port in ready:
            if (frame := receive(port.recv)) is None:
                print("the machine has ended", file=sys.stderr)
                return 255
            kind, content = frame
            if kind == EXIT:
                return int(content)
            while content:
                content = content[os.write(1 if kind == OUTPUT else 2, content) :]


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2:])
    sys.exit(enter(sys.argv[2], sys.argv[3:]))
