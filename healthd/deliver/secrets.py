"""Secrets: what systemd handed to this process as credentials, and how they are kept out of what is said."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, quote, unquote

from healthd.config.kinds import Credential
from healthd.errors import DeliveryError
from healthd.mask import masked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PREFIX: Final = "healthd_"
"""What systemd puts before the name of a file where it hands over those of a folder (LoadCredential=healthd:...)."""

_SHORTEST: Final = 4
_LONG: Final = 8
_WEB: Final = frozenset({"http", "https"})
_MAIL: Final = frozenset({"smtp", "smtps"})
_SEPARATORS: Final = re.compile(r"[/?&=#:;,]")
_USUAL: Final = frozenset(
    (
        "alertmanager",
        "channels",
        "healthchecks",
        "healthd",
        "incoming",
        "incoming-webhooks",
        "integrations",
        "localhost",
        "messages",
        "notifications",
        "services",
        "templates",
        "triggers",
        "webhooks",
        "workflows",
    )
)
"""Words that stand in the paths of services, and in what these answer."""

_MASK: Final = "***"


class Secrets:
    """The credentials in this folder; None: there is none."""

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory
        self._known: set[str] = set()

    def reveal(self, value: Any) -> str:
        """A value of the configuration, or the credential that it names. `DeliveryError` where that is not there."""
        text = self._read(value.name) if isinstance(value, Credential) else str(value)
        parts = (part for address in (text, *text.split()) for part in _parts(address))
        self._known.update(part for part in (text, *parts) if len(part) >= _SHORTEST)
        return text

    def without(self, text: str) -> str:
        """A text that somebody else made, without any secret that is known here."""
        for secret in sorted(self._known, key=len, reverse=True):
            text = text.replace(secret, _MASK)
        return masked(text)

    def _read(self, name: str) -> str:
        if self._directory is not None:
            for file in (self._directory / f"{_PREFIX}{name}", self._directory / name):
                try:
                    return file.read_text(encoding="utf-8").strip()
                except FileNotFoundError:
                    continue
                except (OSError, UnicodeDecodeError) as error:
                    raise DeliveryError(f"the credential {name} cannot be read: {type(error).__name__}") from None
        raise DeliveryError(f"there is no credential {name}: it would be the file /etc/healthd/credentials/{name}")


def _parts(text: str) -> Iterator[str]:
    """What is secret of a URL and may be repeated alone: its path, what it asks for, its password or lone user."""
    scheme, found, rest = text.partition("://")
    if not found:
        return
    login, at, place = rest.rpartition("@")
    user, _, password = login.partition(":")
    secret = password or user
    yield from (secret, unquote(secret)) if at else ()
    if scheme.lower() in _MAIL:
        return
    if scheme.lower() in _WEB:
        place = f"/{place.partition('/')[2]}"
        yield from _forms(place)
        yield from _forms(place.partition("?")[0])
        yield from (value for _, value in parse_qsl(place.partition("?")[2]))
    host = place.partition("/")[0]
    if scheme.lower() not in _WEB and "." in host:  # where it has no dot it is a topic or a token
        place = place.removeprefix(host)
    for part in _SEPARATORS.split(place):
        if _is_secret(unquote(part)):
            yield from _forms(part)


def _forms(part: str) -> tuple[str, str, str]:
    """As it is written, as it is meant, and as somebody else may write it."""
    meant = unquote(part)
    return part, meant, quote(meant, safe="/")


def _is_secret(part: str) -> bool:
    """A part of a path looks like one where it is long, or mixes digits and letters; words of usual paths do not."""
    mixed = any(map(str.isdigit, part)) and any(map(str.isalpha, part))
    return (mixed or len(part) >= _LONG) and part.lower() not in _USUAL
