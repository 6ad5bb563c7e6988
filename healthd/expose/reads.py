"""What can be read: the GET half of the API. Sanitised clients see views of a sanitised status, and nothing else."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from healthd.errors import RequestError
from healthd.expose import render
from healthd.expose.message import Access, Answer, as_json
from healthd.expose.sanitise import sanitised

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from healthd.answers import HealthStatus
    from healthd.ports import Control

    Read = Callable[[Control], Awaitable[Answer]]
    StatusView = Callable[[HealthStatus], Answer]

_COMPONENT: Final = "/api/v1/components/"
_EXPLAIN: Final = "/api/v1/explain/"


def find(path: str, access: Access) -> Read | None:
    """What reads this path for a client with this access; None where there is nothing for it.

    A name at the end of a path is percent-encoded, and may hold slashes either way, as mount points do.
    """
    if path == "/health/live":
        return _live
    if path in _STATUS_VIEWS:
        return partial(_view, access, _STATUS_VIEWS[path])
    if name := _named(path, _COMPONENT):
        return partial(_view, access, partial(_component, name))
    if access is not Access.FULL:
        return None
    if name := _named(path, _EXPLAIN):
        return partial(_explain, name)
    return _CONTROL_VIEWS.get(path)


def _named(path: str, prefix: str) -> str:
    return unquote(path.removeprefix(prefix)) if path.startswith(prefix) else ""


async def _live(_: Control) -> Answer:
    """The event loop turns. Nothing is asked for, so that no fault elsewhere has a prober take healthd for dead."""
    return as_json({"status": "alive", "timestamp": int(time.time())})


async def _view(access: Access, view: StatusView, control: Control) -> Answer:
    status = control.status()
    return view(status if access is Access.FULL else sanitised(status))


def _ready(status: HealthStatus) -> Answer:
    return as_json(render.status(status), status=200 if status.ready else 503)


def _health(status: HealthStatus) -> Answer:
    return as_json(render.status(status))


def _components(status: HealthStatus) -> Answer:
    return as_json(render.components(status))


def _component(name: str, status: HealthStatus) -> Answer:
    known = status.health_checks
    if name not in known:
        raise RequestError(404, f"there is no component {name!r}", hint=f"known: {', '.join(known) or 'none yet'}")
    return as_json(render.component(known[name]))


async def _issues(control: Control) -> Answer:
    return as_json([render.issue(issue) for issue in control.issues()])


async def _budget(control: Control) -> Answer:
    return as_json(render.budget(control.budget()))


async def _config(control: Control) -> Answer:
    return as_json(dict(control.config()))


async def _explain(name: str, control: Control) -> Answer:
    return as_json(render.explanation(await control.explain(name)))


async def _doctor(control: Control) -> Answer:
    return as_json([render.diagnosis(line) for line in await control.diagnose()])


_STATUS_VIEWS: Final[dict[str, StatusView]] = {
    "/health": _health,
    "/health/ready": _ready,
    "/api/v1/status": _health,
    "/api/v1/components": _components,
}
_CONTROL_VIEWS: Final[dict[str, Read]] = {
    "/api/v1/issues": _issues,
    "/api/v1/budget": _budget,
    "/api/v1/config": _config,
    "/api/v1/doctor": _doctor,
}
