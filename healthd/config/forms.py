"""Kinds of texts that have a form: names of units, patterns, addresses, URLs, paths."""

# ruff: noqa: D102 -- what `allowed` and `read` promise is said once, by the protocol Kind

from __future__ import annotations

import re
from typing import Final, NamedTuple

from healthd.config.kinds import refuse
from healthd.config.patterns import UNIT_TYPES, is_unit_name, translate
from healthd.model import ActionKind

_PORT_MAX: Final = 65_535
_EMAIL_MAX: Final = 320
_ESCAPED: Final = "what is no letter or digit in user and password is written as %XX"
RUN_UNIT: Final = f"{ActionKind.RUN_UNIT}:"
_ON_A_UNIT: Final = (
    ActionKind.RELOAD_UNIT,
    ActionKind.RESTART_UNIT,
    ActionKind.START_UNIT,
    ActionKind.RESET_FAILED,
)
_COMPONENT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_HOST: Final = r"(?![^:]*\.\.)(?:\[[0-9A-Fa-f:.]+(?:%[A-Za-z0-9_.-]+)?\]|[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252}))"
_ADDRESS: Final = re.compile(rf"({_HOST}):([0-9]{{1,5}})")
_EMAIL: Final = re.compile(r"([^\s@<>,;]+)@([^\s@<>,;]+)")
_PRINTABLE: Final = re.compile(r"[!-~]*")
_URL_MAX: Final = 4096
_APPRISE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S+")


def nearest(name: str, known: tuple[str, ...]) -> str:
    """The words that point at the known name nearest to a mistyped one, or nothing."""
    from difflib import get_close_matches  # noqa: PLC0415  # only a mistake needs it

    close = get_close_matches(name[:64], known, n=1, cutoff=0.5)
    return f'; did you mean "{close[0]}"?' if close else ""


def is_component_name(name: str) -> bool:
    """Whether a component can be called so."""
    return _COMPONENT.fullmatch(name) is not None


def unit_hint(name: str) -> str:
    """What to write instead of a malformed unit name, where that can be guessed."""
    stem, dot, suffix = name.rpartition(".")
    if dot and suffix in UNIT_TYPES and stem.endswith("@"):
        return f'; this is a template, name an instance such as "{stem}1.{suffix}"'
    return f'; did you mean "{name}.service"?' if is_unit_name(f"{name}.service") else ""


class UnitName:
    """The name of one unit, of any type or only of one."""

    allowed = 'the name of a unit such as "nginx.service"'

    def read(self, raw: object) -> str:
        if not isinstance(raw, str):
            refuse(raw, self.allowed)
        return raw if is_unit_name(raw) else refuse(raw, self.allowed, hint=unit_hint(raw))


class UnitPattern(NamedTuple):
    """A pattern of unit names; with `negatable` also `"!name"`, which takes an entry out of the protected list."""

    negatable: bool = False

    @property
    def allowed(self) -> str:
        words = 'a unit name or a pattern such as "web-*.service"'
        return f'{words}, or "!name" to take an entry out' if self.negatable else words

    def read(self, raw: object) -> str:
        if not isinstance(raw, str):
            refuse(raw, self.allowed)
        try:
            translate(raw[1:] if self.negatable and raw.startswith("!") else raw)
        except ValueError as error:
            refuse(raw, self.allowed, hint=f"; {error}")
        return raw


class Action:
    """An entry of `actions`: an action on the unit, or `run_unit:NAME` for the operator's own oneshot unit."""

    @property
    def allowed(self) -> str:
        return ", ".join(f'"{action}"' for action in _ON_A_UNIT) + f' or "{RUN_UNIT}NAME.service"'

    def read(self, raw: object) -> str:
        if not isinstance(raw, str):
            refuse(raw, self.allowed)
        if raw.startswith(RUN_UNIT):
            name = raw.removeprefix(RUN_UNIT)
            if is_unit_name(name) and name.endswith(".service"):
                return raw
            refuse(raw, f'"{RUN_UNIT}" and the name of a service unit', hint=unit_hint(name))
        if raw not in _ON_A_UNIT:
            refuse(raw, self.allowed, hint=nearest(raw, tuple(_ON_A_UNIT)))
        return raw


class ComponentName:
    """The name of a component."""

    allowed = "a component's name: letters, digits, '_', '-' and '.', at most 64"

    def read(self, raw: object) -> str:
        return raw if isinstance(raw, str) and is_component_name(raw) else refuse(raw, self.allowed)


class Address:
    """HOST:PORT; an IPv6 address in brackets."""

    allowed = '"HOST:PORT" such as "127.0.0.1:8080" or "[::1]:8080"'

    def read(self, raw: object) -> str:
        found = _ADDRESS.fullmatch(raw) if isinstance(raw, str) else None
        if not isinstance(raw, str) or found is None:
            refuse(raw, self.allowed)
        if not 1 <= int(found[2]) <= _PORT_MAX:
            refuse(raw, self.allowed, hint=f"; ports go from 1 to {_PORT_MAX}")
        return raw


class Url(NamedTuple):
    """An absolute URL of one of the schemes. With `empty` also "", which switches off; `bare`: its end is the port."""

    schemes: tuple[str, ...] = ("http", "https")
    empty: bool = True
    bare: bool = False

    @property
    def allowed(self) -> str:
        return f"a URL that begins with {' or '.join(f'{scheme}://' for scheme in self.schemes)}" + (
            ', or "" for none' if self.empty else ""
        )

    def read(self, raw: object) -> str:
        if not isinstance(raw, str):
            refuse(raw, self.allowed)
        flaw = self._flaw(raw)
        return raw if flaw is None else refuse(raw, self.allowed, hint=flaw and f"; {flaw}")

    def _flaw(self, url: str) -> str | None:
        """What is wrong with it, "" where what is allowed says it; None: nothing. It never repeats a part of it."""
        if not url and self.empty:
            return None
        scheme, found, rest = url.partition("://")
        if not found or scheme.lower() not in self.schemes:
            return ""
        if len(url) > _URL_MAX:
            return f"it is longer than {_URL_MAX} characters"
        place, behind = re.fullmatch(r"([^/?#]*)(.*)", rest, re.DOTALL).groups()  # type: ignore[union-attr]
        if not _PRINTABLE.fullmatch(url):
            return _unprintable(url, place)
        host, colon, port = _split(place.rpartition("@")[2])
        if not host:
            return "it names no host"
        if colon and port.isdecimal() and not 1 <= int(port[:6]) <= _PORT_MAX:
            return f"ports go from 1 to {_PORT_MAX}"
        if re.fullmatch(_HOST, host) is None or (colon and not port.isdecimal()):
            return f"behind {scheme}:// comes HOST or HOST:PORT; {_ESCAPED}"
        if self.bare and behind.strip("/"):
            return f"nothing may follow its host and port; {_ESCAPED}"
        return None


def _split(place: str) -> tuple[str, str, str]:
    """Host, colon and port; the colons of an IPv6 address are in its brackets."""
    host, colon, port = place.rpartition(":")
    return (host, colon, port) if colon and "]" not in port else (place, "", "")


def _unprintable(url: str, place: str) -> str:
    """What to write in the place of a character that no URL may have."""
    if any(letter.isspace() for letter in url):
        return "a space in it is written as %20"
    if not place.isascii():
        return "a host's name that is not ASCII is written as xn--..., anything else as %XX"
    return "what is not printable ASCII in it is written as %XX"


class AppriseUrl:
    """An address of a service as apprise writes it. Whether there is such a service, only apprise knows."""

    allowed = 'an address of apprise such as "ntfy://TOPIC"'

    def read(self, raw: object) -> str:
        fits = isinstance(raw, str) and len(raw) <= _URL_MAX and raw.isprintable() and _APPRISE.fullmatch(raw)
        return raw if isinstance(raw, str) and fits else refuse(raw, self.allowed)


class AbsolutePath(NamedTuple):
    """A path from the root. With `empty` also "", which means none."""

    empty: bool = True

    @property
    def allowed(self) -> str:
        return 'a path that begins with "/"' + (', or "" for none' if self.empty else "")

    def read(self, raw: object) -> str:
        fits = isinstance(raw, str) and len(raw) <= 4096 and all(letter >= " " for letter in raw)
        if not isinstance(raw, str) or not fits or not (raw.startswith("/") or (self.empty and not raw)):
            refuse(raw, self.allowed)
        return raw


class Folder:
    """The path of a directory as it is, without detours; no colon, which separates paths where they are handed on."""

    allowed = 'the path of a directory such as "/var/log/nginx", without "..", "//" and ":"'

    def read(self, raw: object) -> str:
        if not isinstance(raw, str) or len(raw) > 4096 or not raw.isprintable():
            refuse(raw, self.allowed)
        first, *parts = raw.rstrip("/").split("/")
        fits = first == "" and parts and all(part not in ("", ".", "..") and ":" not in part for part in parts)
        return raw.rstrip("/") if fits else refuse(raw, self.allowed)


class Email:
    """An e-mail address without a display name. A domain that is not ASCII is read as mail servers know it, xn--..."""

    allowed = 'an e-mail address such as "ops@example.org"'

    def read(self, raw: object) -> str:
        if not isinstance(raw, str):
            refuse(raw, self.allowed)
        try:
            return mail_address(raw)
        except ValueError as error:
            refuse(raw, self.allowed, hint=f"; {error}" if str(error) else "")


def mail_address(text: str) -> str:
    """The address as mail servers know it; ValueError with what is wrong with it, or "" where it is none at all."""
    found = _EMAIL.fullmatch(text)
    if found is None or len(text) > _EMAIL_MAX or not text.isprintable():
        raise ValueError
    local, domain = found.groups()
    if not local.isascii():
        raise ValueError("what stands before the @ must be ASCII: not every mail server takes anything else")
    try:
        return text if domain.isascii() else f"{local}@{domain.encode('idna').decode('ascii')}"
    except UnicodeError:
        raise ValueError("what stands behind the @ is no name of a domain") from None
