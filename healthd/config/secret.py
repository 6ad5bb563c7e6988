"""Which values are secrets: they are shown as `***`, and a file that everybody may read must not hold one."""

from __future__ import annotations

import re
from typing import Any, Final

HIDDEN: Final = "***"
_SECRET_HEADER: Final = re.compile(r"auth|cookie|token|secret|key|passw", re.IGNORECASE)


def hide(value: Any, *, secret: bool) -> Any:
    """A value of texts, lists and tables without what is secret in it.

    `secret`: a text is hidden as a whole, and of a table (of headers) what its key gives away. A password in a URL is
    hidden everywhere.
    """
    match value:
        case str():
            return (HIDDEN if value else "") if secret else without_secrets(value)
        case list():
            return [hide(one, secret=secret) for one in value]
        case dict() if set(value) == {"credential"}:
            return value
        case dict():
            return {name: hide(one, secret=secret and bool(_SECRET_HEADER.search(name))) for name, one in value.items()}
        case _:
            return value


def without_secrets(text: str) -> str:
    """A text without what is secret in it. Of a URL the user stays where it is not the secret itself."""
    from healthd.mask import LOGIN, masked  # noqa: PLC0415  no start of a host without mistakes needs it

    found = re.match(rf"([A-Za-z][A-Za-z0-9+.-]*://)({LOGIN})@", text)
    if found is None:
        return masked(text)
    user, colon, _ = found[2].partition(":")
    login = f"{user}:{HIDDEN}" if colon else HIDDEN
    return f"{found[1]}{login}@{masked(text[found.end() :])}"
