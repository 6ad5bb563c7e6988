"""What a probe makes of the answer, or of there being none: the one item of its component."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from healthd.assess.score import status_of
from healthd.model import Assessment, Finding, IssueType, Item, Measure

if TYPE_CHECKING:
    from healthd.errors import NoAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """A connection that was made, and all that was expected said, within `seconds`; or why not."""

    seconds: float
    failure: NoAnswer | None = None


def talked(talk: Talk, *, expected: bool) -> Assessment:
    """One item for a connection. `expected`: more than the connection itself was."""
    if talk.failure is not None:
        return failed(talk.failure)
    message = f"{'answers' if expected else 'accepts connections'}, in {in_words(talk.seconds)}"
    return answered(message, Measure(name="response_seconds", value=talk.seconds))


def answered(message: str, *measures: Measure) -> Assessment:
    """It answered as it should. What is a matter of degree is in the measures."""
    return _whole(1.0, message, (), measures)


def failed(failure: NoAnswer, *measures: Measure, type_: IssueType = IssueType.PROBE_FAILED) -> Assessment:
    """It did not, for this reason."""
    finding = Finding(type=type_, message=str(failure), cause=failure.cause)
    return _whole(0.0, str(failure), (finding,), measures)


def in_words(seconds: float) -> str:
    """How long an answer took."""
    return f"{seconds * 1000:.0f} ms" if seconds >= 0.001 else "less than 1 ms"


def _whole(score: float, message: str, findings: tuple[Finding, ...], measures: tuple[Measure, ...]) -> Assessment:
    item = Item(name="", status=status_of(score), score=score, message=message, findings=findings, measures=measures)
    return Assessment(items=(item,))
