"""The API: who may ask what, which answer belongs to which error, and a record of everything that was ordered."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from healthd.errors import BusError, ConfigError, HealthdError, RequestError, StorageError
from healthd.events import Event
from healthd.expose import fields, render
from healthd.expose.message import Access, as_error, as_json
from healthd.expose.orders import ORDERS, Order
from healthd.expose.reads import find

if TYPE_CHECKING:
    from collections.abc import Mapping

    from healthd.expose.message import Answer, Client, Request, Stream
    from healthd.ports import Control, Log

ANSWER_SECONDS: Final = 300.0  # more than any order takes whose parts keep to their own deadlines
_READING: Final = ("GET", "HEAD")
_BY_CHARS: Final = 64
_UNMAPPED_UID: Final = 65534  # what a sandbox with PrivateUsers= sees of everybody but root and itself
_NO_ACCESS_HINT: Final = "use sudo, or be in the group healthd"


class Api:
    """Answers requests by what `control` says. Clients with sanitised access may read a little and order nothing."""

    def __init__(self, control: Control, log: Log, *, answer_seconds: float = ANSWER_SECONDS) -> None:
        self._control = control
        self._log = log
        self._answer_seconds = answer_seconds

    async def answer(self, request: Request) -> Answer | Stream:
        """The answer to any request, an error included; what it raises is a bug."""
        answer = await self._guarded(request)
        if request.method == "POST" and request.client.access is Access.FULL:
            self._record(request, answer.status)
        return answer

    async def _guarded(self, request: Request) -> Answer | Stream:
        deadline = asyncio.timeout(self._answer_seconds)
        try:
            async with deadline:
                return await self._route(request)
        except HealthdError as error:
            return _explained(error)
        except TimeoutError:
            if not deadline.expired():
                raise
            late = f"no answer within {self._answer_seconds:g} s"
            return as_error(504, late, "journalctl -u healthd says what it is at")

    async def _route(self, request: Request) -> Answer | Stream:
        client, method = request.client, request.method
        read = find(request.path, client.access)
        if client.access is not Access.FULL and (read is None or method not in _READING):
            raise RequestError(403, "this needs full access to healthd", hint=_NO_ACCESS_HINT)
        if request.path in ORDERS:
            return await self._order(request) if method == "POST" else _wrong_method(request, "POST")
        if read is None:
            raise RequestError(404, "there is nothing at this path", hint="GET /api/v1/status says how the host is")
        return await read(self._control) if method in _READING else _wrong_method(request, ", ".join(_READING))

    async def _order(self, request: Request) -> Answer:
        carry, known = ORDERS[request.path]
        body = fields.parse(request.body, known)
        by = asked_by(request.headers, request.client)
        return as_json(await carry(self._control, Order(body=body, uid=request.client.uid, by=by)))

    def _record(self, request: Request, status: int) -> None:
        by = asked_by(request.headers, request.client)
        self._log.event(
            Event.API_REQUEST,
            f"{request.method} {request.path} by {by}: {status}",
            method=request.method,
            path=request.path,
            by=by,
            http_status=status,
        )


def asked_by(headers: Mapping[str, str], client: Client) -> str:
    """Who asks: as they claim, and as the kernel knows."""
    match client.uid:
        case None:
            known = "unknown"
        case uid if uid == _UNMAPPED_UID:
            known = "uid hidden by the sandbox"
        case uid:
            known = f"uid {uid}"
    claimed = "".join(char for char in headers.get("x-healthd-by", "") if char.isprintable()).strip()[:_BY_CHARS]
    return f"{claimed} (claimed, {known})" if claimed else known


def _wrong_method(request: Request, allowed: str) -> Answer:
    error = f"{request.method} does not work here"
    return as_error(405, error, f"allowed: {allowed}", headers={"Allow": allowed})


def _explained(error: HealthdError) -> Answer:
    """An error of ours as an answer; nothing that is not meant for clients is in one."""
    match error:
        case RequestError():
            return as_error(error.status, str(error), error.hint)
        case ConfigError():
            value = {
                "error": "the configuration is refused; the old one stays in force",
                "hint": "healthctl config check",
                "problems": [render.problem(problem) for problem in error.problems],
            }
            return as_json(value, status=422)
        case BusError():
            return as_error(503, f"systemd: {error}", "healthctl doctor")
        case StorageError():
            return as_error(503, f"the state cannot be kept: {error}", "healthctl doctor")
        case _:
            return as_error(500, str(error), "journalctl -u healthd")
