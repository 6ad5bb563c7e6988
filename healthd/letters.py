"""A message to people, as it lies in the outbox and as a webhook gets it: plain JSON, documented in docs/alerting.md.

The daemon writes letters; the delivery process reads them, and knows nothing else of what happened.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any, Final, Self

from healthd.model import Severity
from healthd.utf8 import utf8

OUTBOX: Final = "outbox"
"""The folder of letters within the state directory."""

DELIVERED: Final = "delivered"
"""The folder in which it stands what became of each letter."""

FAILED_KEY: Final = "healthd-failed"
"""The alert that healthd itself has failed: its first letter is written by systemd/tell-failure."""

VERSION: Final = 1


class Why(StrEnum):
    """Why a message is sent. ALIVE, for receivers that forget, and BEAT, for a dead man's switch, people never see."""

    OPENED = "opened"
    JOINED = "joined"
    WORSE = "worse"
    FLAPPING = "flapping"
    GAVE_UP = "gave_up"
    REPEATED = "repeated"
    ALIVE = "alive"
    RESOLVED = "resolved"
    HEALED = "healed"
    TEST = "test"
    BEAT = "beat"


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """An issue of an alert. `told`: the alert is about it; others belong to its incident. `text`: what healthd does."""

    id: str
    component: str
    item: str
    type: str
    severity: Severity
    message: str
    unit: str
    open: bool
    told: bool
    attempts: int = 0
    gave_up: bool = False
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One message.

    `id` names the message and `key` the alert: all messages of one have the same. `at` is when it was decided,
    `opened_at` when the first of its issues opened, in Unix seconds. `severity` is the highest so far, `routed` the one
    of the first message, which does not change. `title` is what is wrong in a line, `text` what healthd did or does
    about it, `changed` what had been changed on the host before. `evidence` are lines that the failed unit left. `to`:
    only this receiver is to have it.
    """

    id: str
    key: str
    number: int
    why: Why
    host: str
    at: float
    opened_at: float
    severity: Severity
    routed: Severity
    title: str
    text: str = ""
    incident: int = 0
    gave_up: bool = False
    flapping: bool = False
    issues: tuple[Matter, ...] = ()
    changed: str = ""
    evidence: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    to: str = ""
    version: int = VERSION

    @property
    def over(self) -> bool:
        """Whether the alert is at its end with this message."""
        return self.why is Why.RESOLVED

    @property
    def note(self) -> bool:
        """Whether it opens nothing and ends nothing: what it is about was well again before anybody was told."""
        return self.why is Why.HEALED

    @property
    def status(self) -> str:
        """As most receivers have it: "firing" or "resolved"; "note"; "test" for one that only tries the way."""
        if self.note:
            return "note"
        return "test" if self.why is Why.TEST else "resolved" if self.over else "firing"

    @property
    def level(self) -> str:
        """How severe it is, for people."""
        return "info" if self.note else self.severity.value

    @property
    def main(self) -> Matter | None:
        """The issue that gives the alert its name."""
        return self.issues[0] if self.issues else None

    def to_plain(self) -> dict[str, Any]:
        """As JSON data."""
        return {**asdict(self, dict_factory=_whole), "status": self.status}

    def to_json(self) -> bytes:
        """The file, or the body of a request."""
        return json.dumps(self.to_plain(), ensure_ascii=False, separators=(",", ":")).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read back what `to_json` wrote, of this version or of a later one; ValueError for anything else."""
        try:
            plain = json.loads(data)
            known = {name: plain[name] for name in _FIELDS if name in plain}
            return cls(
                **{
                    **known,
                    "why": Why(plain["why"]),
                    "severity": Severity(plain["severity"]),
                    "routed": Severity(plain["routed"]),
                    "issues": tuple(map(_matter, plain["issues"])),
                    "evidence": tuple(map(str, plain["evidence"])),
                    "hints": tuple(map(str, plain["hints"])),
                }
            )
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise ValueError(f"this is no letter: {error!r}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a letter at one receiver, `took` seconds after it was decided. Not `final`: it is tried again."""

    ok: bool
    text: str
    took: float
    final: bool = True

    def to_plain(self) -> dict[str, Any]:
        """As JSON data."""
        return asdict(self)


def _whole(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of whole characters: no receiver takes others."""
    return {name: _utf8(value) for name, value in pairs}


def _utf8(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_utf8, value))
    return utf8(value) if isinstance(value, str) else value


def _matter(plain: Any) -> Matter:
    known = {name: plain[name] for name in _MATTER if name in plain}
    return Matter(**{**known, "severity": Severity(plain["severity"])})


_FIELDS: Final = tuple(field.name for field in fields(Letter))
_MATTER: Final = tuple(field.name for field in fields(Matter))
