"""A small blocking HTTP client over the Unix sockets: every wait ends, and every way to fail says what to do."""

from __future__ import annotations

import json
import os
import socket
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import h11

from healthd.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

READ_NAME: Final = "healthd-read.sock"
GET_SECONDS: Final = 10.0
ORDER_SECONDS: Final = 310.0  # a little more than the daemon gives itself
_RETRY_SECONDS: Final = 0.05
_READ_BYTES: Final = 65536


class Unreachable(RequestError):
    """There was no answer. `status` is 0."""

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(0, message, hint=hint)


class Refused(RequestError):
    """The daemon will not, or cannot. `problems` are the lines about a configuration that it refused."""

    def __init__(self, status: int, message: str, *, hint: str, problems: tuple[str, ...]) -> None:
        super().__init__(status, message, hint=hint)
        self.problems = problems


class Client:
    """Asks the daemon behind the full socket. Where its mode forbids that, reading falls back to the socket for all.

    `outline_only` says that the last answer was of the sanitised form.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.outline_only = False

    def get(self, target: str, *, seconds: float = GET_SECONDS) -> Any:
        """The JSON value at this path of the API; raises Unreachable or Refused."""
        try:
            answer = _exchange(self._path, "GET", target, b"", seconds)
            self.outline_only = False
        except PermissionError:
            read_socket = self._path.with_name(READ_NAME)
            try:
                answer = _exchange(read_socket, "GET", target, b"", seconds)
            except PermissionError:
                raise _forbidden(read_socket) from None
            self.outline_only = True
        return _value(*answer)

    def post(
        self, target: str, fields: Mapping[str, object], *, seconds: float = ORDER_SECONDS, for_all: bool = False
    ) -> Any:
        """The JSON value that this order is answered with; raises Unreachable or Refused.

        `for_all`: it is one that the socket for all takes as well.
        """
        body = json.dumps(fields).encode()
        sockets = [self._path, self._path.with_name(READ_NAME)] if for_all else [self._path]
        for path in sockets:
            with suppress(PermissionError):
                return _value(*_exchange(path, "POST", target, body, seconds))
        raise _forbidden(sockets[-1])


def claimed_name() -> str:
    """Who asks, for the daemon's record: the user behind sudo, else the login."""
    if name := os.environ.get("SUDO_USER"):
        return name
    try:
        return os.getlogin()
    except OSError:
        return _account_name()


def _account_name() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def _exchange(path: Path, method: str, target: str, body: bytes, seconds: float) -> tuple[int, bytes]:
    """One request on a connection of its own; the status and the body. PermissionError is the caller's to judge."""
    end = time.monotonic() + seconds
    try:
        with _connect(path, end) as connection:
            return _talk(connection, method, target, body, end)
    except PermissionError:
        raise
    except FileNotFoundError:
        raise _unreachable(path, "there is no such socket") from None
    except ConnectionRefusedError:
        raise _unreachable(path, "nobody listens there") from None
    except TimeoutError:
        hint = "systemctl status healthd; journalctl -u healthd"
        raise Unreachable(f"healthd did not answer within {seconds:g} s", hint=hint) from None
    except (ConnectionError, h11.RemoteProtocolError):
        hint = "journalctl -u healthd says why"
        raise Unreachable("healthd closed the connection without an answer", hint=hint) from None
    except OSError as error:
        raise _unreachable(path, error.strerror or str(error)) from None


def _connect(path: Path, end: float) -> socket.socket:
    while True:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(_left(end))
            connection.connect(str(path))
        except BlockingIOError:
            # The queue of the socket is full: a Unix socket says so at once, whatever the time limit.
            connection.close()
            time.sleep(min(_RETRY_SECONDS, _left(end)))
        except OSError:
            connection.close()
            raise
        else:
            return connection


def _talk(connection: socket.socket, method: str, target: str, body: bytes, end: float) -> tuple[int, bytes]:
    http = h11.Connection(h11.CLIENT)
    headers = [("Host", "healthd"), ("Connection", "close")]
    if method == "POST":
        headers += [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        headers.append(("X-Healthd-By", claimed_name().encode("ascii", "replace").decode()))
    request = h11.Request(method=method, target=target, headers=headers)
    data = b"".join(http.send(event) or b"" for event in (request, h11.Data(data=body), h11.EndOfMessage()))
    try:
        connection.settimeout(_left(end))
        connection.sendall(data)
    except BrokenPipeError:
        pass  # a server that refuses may answer before it has read all, and close
    status, answer = 0, b""
    for event in _events(connection, http, end):
        if isinstance(event, h11.Response):
            status = event.status_code
        elif isinstance(event, h11.Data):
            answer += bytes(event.data)
    return status, answer


def _events(connection: socket.socket, http: h11.Connection, end: float) -> Iterator[h11.Event]:
    """What the server says, up to the end of its answer."""
    while True:
        event = http.next_event()
        if event is h11.NEED_DATA:
            connection.settimeout(_left(end))
            http.receive_data(connection.recv(_READ_BYTES))
            continue
        if not isinstance(event, h11.Event) or isinstance(event, h11.ConnectionClosed):
            raise ConnectionAbortedError
        if isinstance(event, h11.EndOfMessage):
            return
        yield event


def _left(end: float) -> float:
    left = end - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _value(status: int, body: bytes) -> Any:
    try:
        value = json.loads(body)
    except ValueError:
        raise Unreachable("what answers there is not healthd", hint="is this its socket?") from None
    if status < 400 or (status == 503 and "error" not in value):
        return value
    problems = tuple(str(problem["text"]) for problem in value.get("problems", ()))
    raise Refused(status, str(value["error"]), hint=str(value["hint"]), problems=problems)


def _unreachable(path: Path, why: str) -> Unreachable:
    return Unreachable(f"cannot reach healthd at {path}: {why}", hint="is it running? systemctl status healthd")


def _forbidden(path: Path) -> Unreachable:
    return Unreachable(f"permission denied at {path}", hint="use sudo, or be in the group healthd")
