"""The API: who may ask what, which answer belongs to which error, and a record of everything that was ordered."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from healthd.errors import BusError, ConfigError, HealthdError, RequestError, StorageError
from healthd.events import Event
from healthd.expose import fields, render
from healthd.expose.message import Part, Right, as_error, as_json
from healthd.expose.routes import Ask
from healthd.expose.table import routes_on

if TYPE_CHECKING:
    from collections.abc import Mapping

    from healthd.expose.message import Answer, Client, Request, Stream
    from healthd.expose.routes import Route
    from healthd.ports import Control, Log

ANSWER_SECONDS: Final = 300.0  # more than any order takes whose parts keep to their own deadlines
_BY_CHARS: Final = 64
_UNMAPPED_UID: Final = 65534  # what a sandbox with PrivateUsers= sees of everybody but root and itself
_NO_ACCESS: Final = "this needs full access to healthd"
_NO_ACCESS_HINT: Final = "use sudo, or be in the group healthd"
_KEY_HINT: Final = "send Authorization: Bearer KEY; healthctl key add makes a key"
_SCOPES: Final = {Right.CONTROL: "control", Right.HEARTBEAT: "heartbeat or control"}
_NOTHING: Final = "there is nothing at this path"


class Api:
    """Answers requests by what `control` says, as far as the rights of the client go."""

    def __init__(self, control: Control, log: Log, *, answer_seconds: float = ANSWER_SECONDS) -> None:
        self._control = control
        self._log = log
        self._answer_seconds = answer_seconds
        self._cache: dict[tuple[str, bool], tuple[tuple[int, int], Answer | Stream]] = {}

    async def answer(self, request: Request) -> Answer | Stream:
        """The answer to any request, an error included; what it raises is a bug."""
        answer = await self._guarded(request)
        if request.method == "POST" and not request.client.address and Right.CONTROL in request.client.rights:
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
        client, here = request.client, routes_on(request.path)
        if not here:
            return _nothing(request)
        if not any(route.part in client.parts for route in here):
            raise RequestError(404, _NOTHING, hint=_ELSEWHERE[here[0].part])
        allowed = [route for route in here if _may(client, route)]
        if not allowed:
            return _denied(client, here[0].right)
        route = next((each for each in allowed if request.method in each.methods), None)
        if route is None:
            return _wrong_method(request, ", ".join(method for each in allowed for method in each.methods))
        full = route.right is None or route.right in client.rights
        return await (self._cached if route.cached else self._call)(route, request, full=full)

    async def _call(self, route: Route, request: Request, *, full: bool) -> Answer | Stream:
        ask = Ask(
            request=request,
            by=asked_by(request.headers, request.client),
            name=route.name(request.path) or "",
            fields={} if route.body is None else fields.parse(request.body, route.body),
            full=full,
        )
        return await route.call(self._control, ask)

    async def _cached(self, route: Route, request: Request, *, full: bool) -> Answer | Stream:
        """One rendering for a second, or until something changes: load balancers ask often, and all the same."""
        stamp = (self._control.revision(), int(time.monotonic()))
        cached = self._cache.get((route.path, full))
        if cached is None or cached[0] != stamp:
            cached = self._cache[route.path, full] = (stamp, await self._call(route, request, full=full))
        return cached[1]

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


_ELSEWHERE: Final = {
    Part.METRICS: "metrics are served at the addresses of metrics_listen",
    Part.API: "only GET /metrics is served here; the API is at the addresses of listen",
}


def asked_by(headers: Mapping[str, str], client: Client) -> str:
    """Who asks: as they claim, and as the kernel or their key tells."""
    if client.address:
        known = f"key {client.key} at {client.address}" if client.key else f"nobody known at {client.address}"
    else:
        match client.uid:
            case None:
                known = "unknown"
            case uid if uid == _UNMAPPED_UID:
                known = "uid hidden by the sandbox"
            case uid:
                known = f"uid {uid}"
    claimed = "".join(char for char in headers.get("x-healthd-by", "") if char.isprintable()).strip()[:_BY_CHARS]
    return f"{claimed} (claimed, {known})" if claimed else known


def _may(client: Client, route: Route) -> bool:
    return route.right is None or not client.rights.isdisjoint({route.right, route.outline})


def _nothing(request: Request) -> Answer:
    """Who may not read is not told either what there is to be read."""
    client = request.client
    if Right.READ not in client.rights and (not client.address or request.path.startswith("/api/")):
        return _denied(client, Right.READ)
    hint = "GET /api/v1/status says how the host is" if Part.API in client.parts else _ELSEWHERE[Part.API]
    return as_error(404, _NOTHING, hint)


def _denied(client: Client, needed: Right | None) -> Answer:
    if not client.address:
        return as_error(403, _NO_ACCESS, _NO_ACCESS_HINT)
    if needed is Right.APPLY:
        return as_error(403, "this is for systemd, on the host itself", "POST /api/v1/reload")
    if not client.key:
        return as_error(401, "this needs an API key", _KEY_HINT, headers={"WWW-Authenticate": "Bearer"})
    scope = "read" if needed is None else _SCOPES.get(needed, "read")
    return as_error(403, f"the key {client.key} has not the scope {scope}", "healthctl key add makes one that has")


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
