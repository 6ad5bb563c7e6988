"""What stands behind the path of a request target: decoded strictly, since a guess could mean something else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_plus, urlsplit

from healthd.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Mapping

_BAD_PERCENT: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")


def split(target: str) -> tuple[str, str]:
    """The raw path and the raw query of a target; proxies may send a whole URL, of which the rest does not matter."""
    if target.lower().startswith(("http://", "https://")):
        try:
            parts = urlsplit(target)
        except ValueError:
            raise RequestError(400, "the target of the request is not a URL") from None
        return parts.path or "/", parts.query
    path, _, query = target.partition("?")
    return path, query


def parse(query: str) -> Mapping[str, str]:
    """The parameters by name. A name without a value has an empty one.

    RequestError 400 for what is not percent-encoded UTF-8, and for a name that stands twice.
    """
    found: dict[str, str] = {}
    for part in query.split("&"):
        if not part:
            continue
        raw_name, _, raw_value = part.partition("=")
        name = _decoded(raw_name)
        if name in found:
            raise RequestError(400, "a parameter of the query is given twice", hint="give each one once")
        found[name] = _decoded(raw_value)
    return found


def _decoded(text: str) -> str:
    try:
        decoded = None if _BAD_PERCENT.search(text) else unquote_plus(text, errors="strict")
    except ValueError:
        decoded = None
    if decoded is None:
        raise RequestError(400, "the query is not percent-encoded UTF-8", hint="encode % itself as %25")
    return decoded
