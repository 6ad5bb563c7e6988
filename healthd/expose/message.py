"""What passes between the HTTP side and the handlers: a request, who sent it, and the answer."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from healthd.utf8 import utf8

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping


class Right(StrEnum):
    """One thing that a client may do. READ, CONTROL and HEARTBEAT are also what keys are given."""

    PROBE = "probe"  # ask whether healthd lives and the host is ready, for an outline
    OUTLINE = "outline"  # read the sanitised form of the status
    METRICS = "metrics"
    READ = "read"
    CONTROL = "control"
    HEARTBEAT = "heartbeat"
    APPLY = "apply"  # have the daemon read its configuration, past systemd


EVERYTHING: Final = frozenset(Right)
OUTLINES: Final = frozenset({Right.PROBE, Right.OUTLINE, Right.HEARTBEAT})
"""What clients of the Unix socket for all may do."""


class Part(StrEnum):
    """What a listening socket serves: the API with probes and page, the metrics, or both."""

    API = "api"
    METRICS = "metrics"


PHRASES: Final = {
    200: b"OK",
    400: b"Bad Request",
    401: b"Unauthorized",
    403: b"Forbidden",
    404: b"Not Found",
    405: b"Method Not Allowed",
    408: b"Request Timeout",
    409: b"Conflict",
    413: b"Request Entity Too Large",
    422: b"Unprocessable Entity",
    429: b"Too Many Requests",
    431: b"Request Header Fields Too Large",
    500: b"Internal Server Error",
    501: b"Not Implemented",
    502: b"Bad Gateway",
    503: b"Service Unavailable",
    504: b"Gateway Timeout",
}
"""What a status is called. All that healthd answers with; `http.HTTPStatus` would be 60 KiB of others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Who is at the other end of a connection, and what they may do.

    `uid` is the kernel's word for it on a Unix socket. `address` is the other end of a TCP connection, "" on a Unix
    socket; `key` the name of the API key that came with the request.
    """

    rights: frozenset[Right]
    uid: int | None = None
    address: str = ""
    key: str = ""
    parts: frozenset[Part] = frozenset(Part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A whole request. `path` is raw, without the query; `query` is decoded, a name without a value has an empty one.

    Names in `headers` are lower-case, the last of a kind wins.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    client: Client
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A whole answer. Content-Length, Date and what concerns the connection are added on the way out."""

    status: int
    body: bytes
    content_type: str = "application/json; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """An answer that goes on: each chunk is sent when `chunks` yields it, and the stream ends when they do.

    `chunks` is closed when the client goes or the daemon stops. It should yield something at least every half minute
    (a comment, where events are streamed), so that a client that vanished without a word is noticed.
    """

    chunks: AsyncGenerator[bytes, None]
    status: int = 200
    content_type: str = "text/event-stream; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


if TYPE_CHECKING:
    Handler = Callable[[Request], Awaitable[Answer | Stream]]


def as_json(value: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer of plain JSON data, with a line end so that it reads well in a terminal."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Answer(status=status, body=utf8(text).encode() + b"\n", headers=headers or {})


def as_error(status: int, error: str, hint: str = "", *, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer that says what is wrong in one sentence and what to do instead."""
    return as_json({"error": error, "hint": hint}, status=status, headers=headers)
