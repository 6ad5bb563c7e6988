"""The description of the API says what the routes do and what is rendered."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest

from healthd.expose.api import Api
from healthd.expose.message import EVERYTHING, Answer, Client, Part, Request, Right, Stream
from healthd.expose.openapi import description
from healthd.expose.routes import NAME, Route
from healthd.expose.schemas import BODIES, PARAMETERS, SCHEMAS
from healthd.expose.table import ROUTES
from tests.fakes import FakeLog
from tests.unit.expose.fake_control import FakeControl

ROOT = Client(rights=EVERYTHING, uid=0)
NAMES = {
    "/api/v1/components/{name}": "services",
    "/api/v1/explain/{name}": "nginx.service",
    "/api/v1/heartbeat/{name}": "backup",
    "/api/v1/incidents/{name}": "last",
}
SENT = {"/api/v1/heal": {"name": "nginx.service"}, "/api/v1/reset": {"name": "nginx.service"}}


def answer_of(route: Route) -> Answer | Stream:
    path = route.path.replace(NAME, NAMES.get(route.path, ""))
    body = json.dumps(SENT.get(route.path, {})).encode() if route.method == "POST" else b""
    request = Request(method=route.method, path=path, headers={}, body=body, client=ROOT)
    return asyncio.run(Api(FakeControl(), FakeLog()).answer(request))


def mismatches(schema: Mapping[str, Any], value: Any, where: str = "answer") -> list[str]:
    """Where a value is not as the schema says, or has fields of which the schema says nothing."""
    if "$ref" in schema:
        return mismatches(SCHEMAS[schema["$ref"].rpartition("/")[2]], value, where)
    if "anyOf" in schema:
        found = [mismatches(each, value, where) for each in schema["anyOf"]]
        return min(found, key=len)
    wrong = [] if isinstance(value, TYPES[schema["type"]]) else [f"{where} is no {schema['type']}: {value!r}"]
    wrong += [f"{where} is not in its enum: {value!r}"] if value not in schema.get("enum", [value]) else []
    if isinstance(value, dict) and "properties" in schema:
        known = schema["properties"]
        wrong += [f"{where}.{name} is not described" for name in value if name not in known]
        wrong += [f"{where}.{name} is missing" for name in schema["required"] if name not in value]
        for name in known.keys() & value.keys():
            wrong += mismatches(known[name], value[name], f"{where}.{name}")
    elif isinstance(value, dict):
        for name, each in value.items():
            wrong += mismatches(schema.get("additionalProperties", ANYTHING), each, f"{where}.{name}")
    elif isinstance(value, list):
        for each in value:
            wrong += mismatches(schema.get("items", ANYTHING), each, f"{where}[]")
    return wrong


TYPES: Mapping[str, Any] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "null": type(None),
    "integer": int,
    "number": (int, float),
    "any": object,
}
ANYTHING: Mapping[str, Any] = {"type": "any"}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_what_a_route_answers_is_what_the_description_says(route: Route) -> None:
    answer = answer_of(route)

    assert answer.content_type.startswith(route.content_type)
    assert answer.status in (200, *route.errors)
    if route.content_type == "application/json":
        assert isinstance(answer, Answer)
        assert mismatches(SCHEMAS[route.answer], json.loads(answer.body)) == []


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_what_a_route_takes_is_what_the_description_says(route: Route) -> None:
    if route.body is not None:
        assert set(BODIES.get(route.path, {}).get("properties", {})) == set(route.body)
    assert set(route.query) <= set(PARAMETERS)


def test_every_route_that_others_may_use_is_described() -> None:
    described = {(method.upper(), path) for path, methods in description(ROUTES)["paths"].items() for method in methods}

    assert described == {
        (route.method, route.path) for route in ROUTES if route.part is Part.API and route.right is not Right.APPLY
    }


def test_operations_have_names_of_their_own() -> None:
    ids = [one["operationId"] for methods in description(ROUTES)["paths"].values() for one in methods.values()]

    assert len(ids) == len(set(ids))
    assert "get_components_name" in ids


@pytest.mark.parametrize(
    ("path", "method", "security"),
    [
        ("/", "get", []),
        ("/api/v1/openapi.json", "get", []),
        ("/health/ready", "get", [{}, {"key": []}]),
        ("/health", "get", [{"key": []}]),
        ("/api/v1/heal", "post", [{"key": []}]),
    ],
)
def test_the_description_says_where_a_key_is_needed(path: str, method: str, security: list[Any]) -> None:
    assert description(ROUTES)["paths"][path][method]["security"] == security


def test_no_schema_is_there_in_vain() -> None:
    text = json.dumps(description(ROUTES))

    assert [name for name in SCHEMAS if f'"#/components/schemas/{name}"' not in text] == []
