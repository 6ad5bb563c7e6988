"""The JSON body of a POST, taken apart once. A mistake is a 400 that names the field, what came and what may come."""

from __future__ import annotations

import json
import re
from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypeVar

from healthd.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NAME_CHARS: Final = 256  # systemd's own limit for the name of a unit
NAME_PATTERN: Final = r"^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]*$"  # no character that ends a line or moves a cursor

Choice = TypeVar("Choice", bound=StrEnum)


def parse(body: bytes, known: Sequence[str]) -> Mapping[str, object]:
    """The fields of a body, all of them among `known`; nothing at all is an empty object."""
    if not body.strip():
        return {}
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        raise RequestError(400, "the body is not JSON", hint=_shape(known)) from None
    if not isinstance(fields, dict):
        raise RequestError(400, f"the body is {_kind(fields)}, not an object", hint=_shape(known))
    for key in fields:
        if key not in known:
            from difflib import get_close_matches  # noqa: PLC0415  # only a mistake needs it

            near = get_close_matches(key, known, n=1)
            hint = f'did you mean "{near[0]}"?' if near else _shape(known)
            raise RequestError(400, f"unknown field {_quoted(key)}", hint=hint)
    return fields


def text(fields: Mapping[str, object], key: str, *, most: int = NAME_CHARS) -> str | None:
    """A field of one line; None if it is left out, null or empty."""
    value = fields.get(key)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise RequestError(400, f'the field "{key}" is {_kind(value)}, not a string')
    if len(value) > most or not re.fullmatch(NAME_PATTERN, value):
        raise RequestError(
            400, f'the field "{key}" must be at most {most} characters, none of them a control character'
        )
    return value


def number(fields: Mapping[str, object], key: str) -> float | None:
    """A field that is a number; None if it is left out or null."""
    value = fields.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RequestError(400, f'the field "{key}" is {_kind(value)}, not a number')
    return float(value)


def name(fields: Mapping[str, object]) -> str:
    """The field `name`, which must be there."""
    value = optional_name(fields)
    if value is None:
        raise RequestError(400, 'the field "name" is missing', hint="name a component, an item or a unit")
    return value


def optional_name(fields: Mapping[str, object]) -> str | None:
    """The field `name`; None if it is left out or null."""
    value = fields.get("name")
    if value is None:
        return None
    if not isinstance(value, str):
        raise RequestError(400, f'the field "name" is {_kind(value)}, not a string')
    if not 0 < len(value) <= NAME_CHARS or not re.fullmatch(NAME_PATTERN, value):
        raise RequestError(
            400, f'the field "name" must be 1 to {NAME_CHARS} characters, none of them a control character'
        )
    return value


def flag(fields: Mapping[str, object], key: str) -> bool:
    """A field that is true or false, and false if it is left out."""
    value = fields.get(key, False)
    if not isinstance(value, bool):
        raise RequestError(400, f'the field "{key}" is {_kind(value)}, not true or false')
    return value


def choice(fields: Mapping[str, object], key: str, choices: type[Choice]) -> Choice | None:
    """A field that takes one of a closed set; None if it is left out or null."""
    value = fields.get(key)
    if value is None:
        return None
    try:
        return choices(value)  # type: ignore[arg-type]  # anything but a member's string is the ValueError
    except ValueError:
        found = _quoted(value) if isinstance(value, str) else _kind(value)
        allowed = ", ".join(choices)
        raise RequestError(400, f'the field "{key}" is {found}', hint=f"allowed: {allowed}") from None


def _quoted(text: str) -> str:
    return json.dumps(text if len(text) <= 80 else text[:80] + "...")


def _kind(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "an array"
        case _:
            return "an object"


def _shape(known: Sequence[str]) -> str:
    if not known:
        return "send {} or nothing"
    return "send a JSON object with " + ", ".join(f'"{key}"' for key in known)
