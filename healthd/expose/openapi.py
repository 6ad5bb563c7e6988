"""The OpenAPI description, made from the table of routes. Only imported when somebody asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from healthd import __version__
from healthd.expose.message import Part, Right
from healthd.expose.routes import NAME
from healthd.expose.schemas import BODIES, EMPTY, PARAMETERS, PATH_NAME, SCHEMAS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from healthd.expose.routes import Route

_ABOUT: Final = """\
How a host is, why, and what healthd does about it. Over TCP a key is sent as `Authorization: Bearer KEY`;
`healthctl key add` makes one. On the Unix sockets the same is served without keys."""

_ERRORS: Final = {
    400: "The request cannot be understood.",
    401: "There is no valid key in the request.",
    403: "The client may not do this.",
    404: "There is nothing of this name.",
    405: "The method does not work here.",
    408: "The request was not complete in time.",
    409: "This cannot be done as things stand.",
    413: "The body is larger than 64 KiB.",
    422: "The configuration is refused.",
    429: "Too many requests; Retry-After says when to come again.",
    431: "The header is larger than 16 KiB.",
    500: "healthd failed at this.",
    503: "Something that this needs does not answer.",
    504: "There was no answer in time.",
}
_ALWAYS: Final = (400, 401, 403, 405, 408, 413, 429, 431, 500, 504)
_SCOPES: Final = {Right.CONTROL: "control", Right.HEARTBEAT: "heartbeat"}


def description(routes: Iterable[Route]) -> dict[str, Any]:
    """All routes of the API; what only the daemon itself may ask for is left out."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        if route.right is not Right.APPLY and route.part is Part.API:
            paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "healthd", "version": __version__, "description": _ABOUT, "license": {"name": "MIT"}},
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": dict(SCHEMAS),
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": _id(route),
        "summary": route.about,
        "security": _security(route),
        "parameters": [*_parameters(route)],
        "responses": _responses(route),
    }
    if route.body is not None:
        schema = BODIES.get(route.path, EMPTY)
        operation["requestBody"] = {
            "required": bool(schema["required"]),
            "content": {"application/json": {"schema": schema}},
        }
    if route.right in _SCOPES:
        operation["description"] = f"The key needs the scope {_SCOPES[route.right]}."
    return operation


def _id(route: Route) -> str:
    words = route.path.removeprefix("/api/v1").replace(".", "/").replace(NAME, "name").strip("/").split("/")
    return "_".join((route.method.lower(), *filter(None, words)))


def _security(route: Route) -> list[dict[str, list[str]]]:
    if route.right is None:
        return []
    needed: list[dict[str, list[str]]] = [{"key": []}]
    return [{}, *needed] if Right.PROBE in (route.right, route.outline) else needed


def _parameters(route: Route) -> Iterable[dict[str, Any]]:
    if route.path.endswith(NAME):
        yield {"name": "name", "in": "path", "required": True, "schema": PATH_NAME}
    for name in route.query:
        yield {"name": name, "in": "query", "required": False, **PARAMETERS[name]}


def _responses(route: Route) -> dict[str, Any]:
    answer = {"$ref": f"#/components/schemas/{route.answer}"}
    found = {"200": _response("The answer.", answer, route.content_type)}
    for status in sorted({*_ALWAYS, *route.errors}):
        name = "Refusal" if status == 422 else "Error"
        schema: dict[str, Any] = {"$ref": f"#/components/schemas/{name}"}
        if status == 503 and route.answer == "HealthStatus" and route.method == "GET":
            schema = {"anyOf": [answer, schema]}
        found[str(status)] = _response(_ERRORS[status], schema)
    found["401"]["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}}}
    found["405"]["headers"] = {"Allow": {"schema": {"type": "string"}}}
    found["429"]["headers"] = {"Retry-After": {"schema": {"type": "integer"}}}
    return found


def _response(about: str, schema: dict[str, Any], content_type: str = "application/json") -> dict[str, Any]:
    return {"description": about, "content": {content_type: {"schema": schema}}}
