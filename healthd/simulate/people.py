"""What people were told beside what they would have been told: messages in pairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from healthd.record.deeds import TOLD
from healthd.simulate.compare import SAME_SECONDS, matched

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from healthd.decide.state import Key
    from healthd.simulate.replay import Told


_AT_ONCE: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message in one of the worlds. `why` as in a letter. `instead`: why it was none in the other one, if known."""

    now: float
    at: float
    key: Key
    about: str
    why: str
    severity: str
    to: tuple[str, ...]
    alert: int
    instead: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A message that was sent, and the one that would have been; one of them may be missing."""

    was: Message | None
    would: Message | None

    @property
    def at(self) -> float:
        """When, in Unix seconds."""
        return min(message.at for message in (self.was, self.would) if message is not None)

    @property
    def same(self) -> bool:
        """Whether the same is said at the same time, to whomever."""
        was, would = self.was, self.would
        if was is None or would is None or abs(was.now - would.now) > SAME_SECONDS:
            return False
        return (was.about, was.severity) == (would.about, would.severity)

    @property
    def because(self) -> str:
        """Why there was none in the one world when there was one in the other, as far as that is known."""
        match self.was, self.would:
            case None, message if message is not None:
                return message.instead
            case message, None if message is not None:
                return message.instead
            case was, would if was is not None and would is not None and not self.same:
                first, second = sorted((was, would), key=lambda each: each.now)
                return first.instead if second.now - first.now > _AT_ONCE else ""
        return ""


def messages(told: Iterable[Told]) -> list[Message]:
    """What people are told in a world, in order."""
    return [
        Message(
            now=now,
            at=at,
            key=deed.key,
            about=deed.text,
            why=deed.what,
            severity=deed.severity,
            to=tuple(filter(None, deed.to.split(","))),
            alert=deed.number,
            instead=instead,
        )
        for now, at, deed, instead in told
        if deed.kind == TOLD
    ]


def exchanges(was: Sequence[Message], would: Sequence[Message]) -> list[Exchange]:
    """All messages of both worlds, in the order of time."""
    found = matched(was, would, lambda message: (message.key, message.why))
    return sorted((Exchange(was=one, would=other) for one, other in found), key=lambda each: each.at)
