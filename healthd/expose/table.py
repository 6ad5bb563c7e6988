"""The one table of all routes: what is not in it is not served, and the OpenAPI description is made from it.

To add a route: write its function beside its like (`reads`, `orders`), add a `Route` to the tuple there, and name the
shape of its answer in `schemas`. A test compares both, and another one asks the live daemon.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from healthd.expose.message import as_json
from healthd.expose.orders import ORDERS
from healthd.expose.reads import READS
from healthd.expose.routes import NAME, Route, at

if TYPE_CHECKING:
    from healthd.expose.message import Answer
    from healthd.expose.routes import Ask
    from healthd.ports import Control


async def _openapi(_control: Control, _ask: Ask) -> Answer:
    from healthd.expose.openapi import description  # noqa: PLC0415  the schemas are many, and seldom asked for

    return as_json(description(ROUTES))


ROUTES: Final[tuple[Route, ...]] = (
    *READS,
    *ORDERS,
    Route(
        path="/api/v1/openapi.json",
        call=_openapi,
        right=None,
        about="This description.",
        answer="Object",
    ),
)

_ON: Final = {route.path: at(ROUTES, route.path) for route in ROUTES if not route.path.endswith(NAME)}


def routes_on(path: str) -> tuple[Route, ...]:
    """The routes on this path, of any method."""
    return _ON.get(path) or at(ROUTES, path)
