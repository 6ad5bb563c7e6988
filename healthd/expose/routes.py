"""What a route is, and how a request finds its own. Everything that is said of the API comes from this: `table`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from healthd.expose.message import Part

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from healthd.expose.message import Answer, Request, Right, Stream
    from healthd.ports import Control

NAME: Final = "{name}"
_JSON: Final = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A request that was let in. `name` is what stands at the end of its path, decoded; `fields` those of its body.

    `full`: the client may see everything, and not only the sanitised form. `by` is who asks, in words.
    """

    request: Request
    by: str
    name: str = ""
    fields: Mapping[str, object] = field(default_factory=dict)
    full: bool = True


if TYPE_CHECKING:
    Call = Callable[[Control, Ask], Awaitable[Answer | Stream]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One method on one path. `path` may end in `{name}`, which stands for anything, slashes too.

    A client needs `right` (None: nothing), or `outline` to be answered in the sanitised form. `body` are the fields
    that a body may have, None where none is read. What the OpenAPI description says of it: `about` in a line,
    `answer` as the name of a schema in `schemas`, `query` as names of parameters there, `errors` as further statuses.

    `cached`: what it answers depends on the status alone, so that for a second, or until something changes, there is
    one answer for all who ask.
    """

    path: str
    call: Call
    right: Right | None
    about: str
    answer: str
    method: str = "GET"
    outline: Right | None = None
    part: Part = Part.API
    body: tuple[str, ...] | None = None
    query: tuple[str, ...] = ()
    errors: tuple[int, ...] = ()
    content_type: str = _JSON
    cached: bool = False

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods that this route answers."""
        return ("GET", "HEAD") if self.method == "GET" else (self.method,)

    def name(self, path: str) -> str | None:
        """What stands for `{name}` in this path: "" where the route has no name, None if the path is another one.

        It is percent-encoded, and may hold slashes either way, as mount points do.
        """
        if not self.path.endswith(NAME):
            return "" if path == self.path else None
        prefix = self.path.removesuffix(NAME)
        return (unquote(path.removeprefix(prefix)) or None) if path.startswith(prefix) else None


def at(routes: Iterable[Route], path: str) -> tuple[Route, ...]:
    """The routes on this path, of any method."""
    return tuple(route for route in routes if route.name(path) is not None)
