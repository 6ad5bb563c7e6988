"""What is told to people: values. Which alerts there are, and which messages of them have not left the engine yet."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from healthd.decide.state import Key
from healthd.letters import Why
from healthd.model import IssueType, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping


class Word(NamedTuple):
    """A message of an alert: the how many-th, why, and when it was decided (Unix seconds)."""

    number: int
    why: Why
    wall: float


class Opening(NamedTuple):
    """That an issue opened, in engine seconds."""

    key: Key
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """What people are told of an incident, from the first message to the one that it is over.

    `keys` are the issues that it is about: of the first `told` it was told, of the others it is to be at `due` (engine
    seconds). `told_at` is when the last message was decided, None before the first; `numbers` is how many there were.
    `severity` is the highest that was told, `routed` that of the first message. `gave_up` are the issues of which it
    was told that healthd gave up, the last `gave_up_now` of them by the last message; `flapping`: that they come and go
    was told. `calm_since`: all are closed since then. `alive_at` is when receivers that forget were last reminded.
    `unsent` are the messages that are not in the outbox yet. `over`: the last one was decided. `note`: its one message
    says that all is well again of which nobody was told.
    """

    id: int
    incident: int
    keys: tuple[Key, ...]
    opened_wall: float
    severity: Severity
    routed: Severity
    due: float | None = None
    told: int = 0
    told_at: float | None = None
    alive_at: float = 0.0
    numbers: int = 0
    gave_up: tuple[Key, ...] = ()
    gave_up_now: int = 0
    flapping: bool = False
    calm_since: float | None = None
    unsent: tuple[Word, ...] = ()
    over: bool = False
    note: bool = False

    def to_plain(self) -> dict[str, Any]:
        """As JSON data."""
        return asdict(self)

    @classmethod
    def from_plain(cls, data: Mapping[str, Any]) -> Self:
        """Read back what `to_plain` wrote; raises ValueError, TypeError or KeyError on anything else."""
        return cls(
            **{
                **data,
                "keys": tuple(map(key_of, data["keys"])),
                "gave_up": tuple(map(key_of, data["gave_up"])),
                "severity": Severity(data["severity"]),
                "routed": Severity(data["routed"]),
                "unsent": tuple(Word(int(number), Why(why), float(wall)) for number, why, wall in data["unsent"]),
            }
        )


def key_of(plain: Any) -> Key:
    """The key of an issue from JSON data."""
    component, item, type_ = plain
    return Key(str(component), str(item), IssueType(type_))
