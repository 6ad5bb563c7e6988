"""The gate for TCP: who comes, with which key, how often; and a record of it. What passes is the API's to answer."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from healthd.config import HttpSettings
from healthd.config.keys import ApiKey, Keys, Scope
from healthd.expose.message import Right, as_error
from healthd.expose.rate import Buckets
from healthd.expose.table import routes_on

if TYPE_CHECKING:
    from collections.abc import Callable

    from healthd.expose.audit import Audit
    from healthd.expose.message import Answer, Client, Handler, Request, Stream

_LIVE: Final = "/health/live"
_WRONG_COSTS: Final = 2
_QUIET: Final = frozenset({Right.PROBE, Right.METRICS})
_READING: Final = frozenset({Right.PROBE, Right.OUTLINE, Right.METRICS, Right.READ})
_RIGHTS: Final = {
    Scope.READ: _READING,
    Scope.CONTROL: _READING | {Right.CONTROL, Right.HEARTBEAT},
    Scope.HEARTBEAT: frozenset({Right.HEARTBEAT}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asker:
    """What the header of a request says about who sends it: `wrong` is a key that nobody knows."""

    client: Client
    wrong: bool


class Gate:
    """Handles every request that comes over TCP. Settings and keys may be changed while it does."""

    def __init__(self, answer: Handler, audit: Audit, now: Callable[[], float]) -> None:
        self._answer, self._audit, self._now = answer, audit, now
        self._keys = Keys()
        self._open: frozenset[Right] = frozenset()
        self._buckets = Buckets(HttpSettings().rate_limit_per_minute, now)

    def configure(self, http: HttpSettings, keys: Keys) -> None:
        """What holds from the next request on."""
        self._keys = keys
        closed = {Right.PROBE: http.probes_require_key, Right.METRICS: http.metrics_require_key}
        self._open = frozenset(right for right, is_closed in closed.items() if not is_closed)
        if http.rate_limit_per_minute != self._buckets.per_minute:
            self._buckets = Buckets(http.rate_limit_per_minute, self._now)

    async def answer(self, request: Request) -> Answer | Stream:
        """The answer, and a record of it. A request that is cut off or strikes a bug is recorded without one."""
        asker = self._who(request)
        request = replace(request, client=asker.client)
        status = None
        try:
            answer = self._refusal(request, asker) or await self._answer(request)
            status = answer.status
        finally:
            self._note(request, status)
        return answer

    def refused(self, client: Client, status: int, why: str) -> None:
        """What came was no request: why, and the status that it was answered with, 0 if there was no answer."""
        self._buckets.take(client.address)
        self._audit.count(client, "", "", status, why)

    def _who(self, request: Request) -> _Asker:
        header = request.headers.get("authorization")
        if header is None:
            return _Asker(client=replace(request.client, rights=self._open), wrong=False)
        scheme, _, presented = header.strip().partition(" ")
        key = self._keys.find(presented.strip()) if scheme.lower() == "bearer" else None
        if key is None:
            return _Asker(client=replace(request.client, rights=frozenset()), wrong=True)
        return _Asker(client=replace(request.client, rights=self._open | _rights(key), key=key.name), wrong=False)

    def _refusal(self, request: Request, asker: _Asker) -> Answer | None:
        """What is refused before anybody looks at what is asked for: too many requests, a wrong key."""
        tokens = _WRONG_COSTS if asker.wrong else 0 if request.path == _LIVE else 1
        wait = self._buckets.take(request.client.address, tokens)
        if wait > 0:
            hint = f"rate_limit_per_minute is {self._buckets.per_minute}"
            return as_error(429, "too many requests", hint, headers={"Retry-After": str(math.ceil(wait))})
        if asker.wrong:
            error = "the API key is not valid here"
            hint = "is it Authorization: Bearer KEY? healthctl key list shows the keys there are"
            challenge = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
            return as_error(401, error, hint, headers=challenge)
        return None

    def _note(self, request: Request, status: int | None) -> None:
        client, method, path = request.client, request.method, request.path
        if status == 429:
            self._audit.count(client, method, path, status, "too many")
        elif status is not None and not client.key and "authorization" not in request.headers and _is_quiet(path):
            self._audit.count(client, method, path, status, path)
        else:
            self._audit.note(client, method, path, status)


def _rights(key: ApiKey) -> frozenset[Right]:
    return frozenset().union(*(_RIGHTS[scope] for scope in key.scopes))


def _is_quiet(path: str) -> bool:
    """Probes and scrapes, which come for ever and all day."""
    return any(not _QUIET.isdisjoint({route.right, route.outline}) for route in routes_on(path))
