"""Which values are secrets: they are shown as `***`, and a file that everybody may read must not hold one."""

from __future__ import annotations

import re
from typing import Any, Final

HIDDEN: Final = "***"
_LOGIN: Final = re.compile(r"^([A-Za-z]+://)([^/?#@]*)@")
_SECRET_HEADER: Final = re.compile(r"auth|cookie|token|secret|key|passw", re.IGNORECASE)


def hide(value: Any, *, secret: bool) -> Any:
    """A value of texts, lists and tables without what is secret in it.

    `secret`: a text is hidden as a whole, and of a table (of headers) what its key gives away. A password in a URL is
    hidden everywhere.
    """
    match value:
        case str():
            return (HIDDEN if value else "") if secret else without_login(value)
        case list():
            return [hide(one, secret=secret) for one in value]
        case dict() if set(value) == {"credential"}:
            return value
        case dict():
            return {name: hide(one, secret=secret and bool(_SECRET_HEADER.search(name))) for name, one in value.items()}
        case _:
            return value


def without_login(url: str) -> str:
    """A text with the password in it hidden (or a user that stands alone), if it is a URL."""

    def shown(found: re.Match[str]) -> str:
        user, colon, _ = found[2].partition(":")
        return f"{found[1]}{user}:{HIDDEN}@" if colon else f"{found[1]}{HIDDEN}@"

    return _LOGIN.sub(shown, url)
