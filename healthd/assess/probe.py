"""What a probe makes of the answer, or of there being none: the one item of its component."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthd.assess.score import status_of
from healthd.model import Assessment, Finding, IssueType, Item

if TYPE_CHECKING:
    from healthd.errors import NoAnswer
    from healthd.model import Measure


def answered(message: str, *measures: Measure) -> Assessment:
    """It answered as it should. What is a matter of degree is in the measures."""
    return _whole(1.0, message, (), measures)


def failed(failure: NoAnswer, *measures: Measure, type_: IssueType = IssueType.PROBE_FAILED) -> Assessment:
    """It did not, for this reason."""
    finding = Finding(type=type_, message=str(failure), cause=failure.cause)
    return _whole(0.0, str(failure), (finding,), measures)


def _whole(score: float, message: str, findings: tuple[Finding, ...], measures: tuple[Measure, ...]) -> Assessment:
    item = Item(name="", status=status_of(score), score=score, message=message, findings=findings, measures=measures)
    return Assessment(items=(item,))
