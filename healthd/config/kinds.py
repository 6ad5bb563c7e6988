"""What a value in the configuration may be: each kind reads a raw TOML value, or says what is wrong with it.

A kind has `allowed`, the words that an operator reads ("a number from 0 to 100"), and `read`, which returns the
value as the settings hold it or raises `Wrong`. Kinds know nothing of files, lines or keys. They are never compared:
named tuples, which every start makes in a fifth of the time of dataclasses.
"""

# ruff: noqa: D102 -- what `allowed` and `read` promise is said once, by the protocol Kind

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn, Protocol

from healthd.config.secret import without_secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from enum import StrEnum

COUNT_MAX: Final = 100_000
MANY_MAX: Final = 1000
"""More patterns or components than any host has, and few enough to compare each with each."""

ENDLESS: Final = 1e15
"""Stands for no bound: beyond it a float cannot count."""

YEAR: Final = 365.0 * 86_400
_TEXT_MAX: Final = 16_384
_SHOWN_MAX: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """One thing wrong with a value: `sub` leads from the value to the flaw, the rest is for people.

    `hint` is the end of `allowed` that is about this very value.
    """

    found: str
    allowed: str
    sub: tuple[str | int, ...] = ()
    hint: str = ""


class Wrong(ValueError):
    """A value that its kind refuses, with every flaw. Never leaves healthd.config."""

    def __init__(self, *flaws: Flaw) -> None:
        super().__init__("; ".join(f"{flaw.found}: {flaw.allowed}" for flaw in flaws))
        self.flaws = flaws


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """Stands for a secret that systemd hands over as a file of this name in $CREDENTIALS_DIRECTORY."""

    name: str


class Kind(Protocol):
    """A set of values."""

    @property
    def allowed(self) -> str:
        """What may stand here, in words that finish the sentence "allowed is ..."."""

    def read(self, raw: object) -> Any:
        """The value as the settings hold it; `Wrong` if it may not stand here."""


def shown(raw: object) -> str:
    """A raw TOML value in a few words, however large or deep it is."""
    match raw:
        case bool():
            return "true" if raw else "false"
        case str():
            return _quoted(without_secrets(raw))
        case int():
            return str(raw) if abs(raw) < 2**63 else "a number beyond 64 bits"
        case float():
            return repr(raw)
        case dict():
            return "a table"
        case list():
            return f"an array of {len(raw)}" if raw else "an empty array"
        case _:
            return f"the {type(raw).__name__} {raw}"  # the kinds of date and time that TOML has


def _quoted(text: str) -> str:
    cut = text if len(text) <= _SHOWN_MAX else text[: _SHOWN_MAX - 3] + "..."
    return '"' + "".join(letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in cut) + '"'


def refuse(raw: object, allowed: str, *, hint: str = "") -> NoReturn:
    """Raise `Wrong` for a value as a whole."""
    raise Wrong(Flaw(found=f"found {shown(raw)}", allowed=f"allowed is {allowed}{hint}", hint=hint))


def plain(number: float) -> str:
    """A number without a superfluous fraction: 30, 0.5."""
    return str(int(number)) if number == int(number) else repr(number)


class Switch:
    """true or false."""

    allowed = "true or false"

    def read(self, raw: object) -> bool:
        return raw if isinstance(raw, bool) else refuse(raw, self.allowed)


class Number(NamedTuple):
    """A finite number within closed bounds. Whole numbers serve as well."""

    low: float
    high: float

    @property
    def allowed(self) -> str:
        if self.high >= ENDLESS:
            return "a number" if self.low < 0 else f"a number of at least {plain(self.low)}"
        return f"a number from {plain(self.low)} to {plain(self.high)}"

    def read(self, raw: object) -> float:
        if isinstance(raw, bool) or not isinstance(raw, (int, float)):
            refuse(raw, self.allowed)
        # Compared before the conversion: an integer of 400 digits is no float.
        if not (self.low <= raw <= self.high) or not isfinite(raw):
            refuse(raw, self.allowed)
        return float(raw)


class Count(NamedTuple):
    """A whole number within closed bounds."""

    low: int = 0
    high: int = COUNT_MAX

    @property
    def allowed(self) -> str:
        return f"a whole number from {self.low} to {self.high}"

    def read(self, raw: object) -> int:
        if isinstance(raw, bool) or not isinstance(raw, int) or not self.low <= raw <= self.high:
            refuse(raw, self.allowed)
        return raw


class Text(NamedTuple):
    """A text; with `empty` False at least one character. Line breaks only where `lines` says so."""

    allowed: str = "a text"
    empty: bool = True
    lines: bool = False

    def read(self, raw: object) -> str:
        if not isinstance(raw, str) or len(raw) > _TEXT_MAX or (not raw and not self.empty):
            refuse(raw, self.allowed)
        if any(letter < " " and not (self.lines and letter in "\r\n\t") for letter in raw):
            refuse(raw, f"{self.allowed} without control characters")
        return raw


class Choice(NamedTuple):
    """One member of a closed set."""

    members: Sequence[StrEnum | str]

    @property
    def allowed(self) -> str:
        *most, last = (f'"{member}"' for member in self.members)
        return f"{', '.join(most)} or {last}" if most else last

    def read(self, raw: object) -> StrEnum | str:
        for member in self.members:
            if isinstance(raw, str) and raw == member:
                return member
        refuse(raw, self.allowed)


class Many(NamedTuple):
    """An array of values of one kind: at least `least` and at most MANY_MAX."""

    of: Kind
    least: int = 0

    @property
    def allowed(self) -> str:
        return f"an array, each of it {self.of.allowed}"

    def read(self, raw: object) -> tuple[Any, ...]:
        if not isinstance(raw, list) or not self.least <= len(raw) <= MANY_MAX:
            bounds = f", from {self.least} to {MANY_MAX} of them" if isinstance(raw, list) else ""
            refuse(raw, self.allowed + bounds)
        flaws: list[Flaw] = []
        values: list[Any] = []
        for index, one in enumerate(raw):
            try:
                values.append(self.of.read(one))
            except Wrong as wrong:
                flaws += [Flaw(found=f.found, allowed=f.allowed, sub=(index, *f.sub)) for f in wrong.flaws]
        if flaws:
            raise Wrong(*flaws)
        return tuple(values)


class Either(NamedTuple):
    """A value of the first kind, or of the second where the first refuses it."""

    first: Kind
    second: Kind

    @property
    def allowed(self) -> str:
        return f"{self.first.allowed}, or {self.second.allowed}"

    def read(self, raw: object) -> Any:
        hints: list[str] = []
        for kind in (self.first, self.second):
            try:
                return kind.read(raw)
            except Wrong as wrong:
                hints += (flaw.hint for flaw in wrong.flaws)
                # A flaw inside of an array or a table says that the shape was right and which part was not.
                if any(flaw.sub for flaw in wrong.flaws):
                    raise
        refuse(raw, self.allowed, hint=next(filter(None, hints), ""))


class Secret(NamedTuple):
    """A value that may be left to systemd: `{ credential = "NAME" }` reads as a `Credential`."""

    of: Kind

    @property
    def allowed(self) -> str:
        one, said = self.of.allowed, '{ credential = "NAME" }'
        return one if one.endswith(said) else f"{one}, or {said}"

    def read(self, raw: object) -> Any:
        return read_credential(raw) if isinstance(raw, dict) else self.of.read(raw)


def read_credential(raw: Mapping[str, object]) -> Credential:
    """The credential that a table `{ credential = "NAME" }` names."""
    name = raw.get("credential")
    if len(raw) != 1 or not isinstance(name, str):
        refuse(raw, '{ credential = "NAME" } and nothing else in the braces')
    fits = all(letter.isascii() and (letter.isalnum() or letter in "_.-") for letter in name)
    if not fits or name in {"", ".", ".."} or len(name) > 255:
        refuse(name, "the name of a file in /etc/healthd/credentials, of letters, digits, '_', '-' and '.'")
    return Credential(name=name)


def each_of(value: Any, reveal: Callable[[Any], str]) -> tuple[str, ...]:
    """The texts of a value that is one or an array of them. A credential holds any number, apart by spaces or lines."""
    values = value if isinstance(value, tuple) else (value,)
    return tuple(
        text for one in values for text in (reveal(one).split() if isinstance(one, Credential) else (reveal(one),))
    )
