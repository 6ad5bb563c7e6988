"""What passes between the HTTP side and the handlers: a request, who sent it, and the answer."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping


class Access(StrEnum):
    """How much a client may see and do."""

    FULL = "full"
    SANITISED = "sanitised"


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Who is at the other end of a connection. `uid` is the kernel's word for it, None where the kernel has none."""

    access: Access
    uid: int | None = None


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
    # A file name that is not UTF-8 reaches us as lone surrogates, which UTF-8 has no bytes for.
    return Answer(status=status, body=text.encode(errors="backslashreplace") + b"\n", headers=headers or {})


def as_error(status: int, error: str, hint: str = "", *, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer that says what is wrong in one sentence and what to do instead."""
    return as_json({"error": error, "hint": hint}, status=status, headers=headers)
