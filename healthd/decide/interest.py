"""Which issues people want to hear of at all, whenever that is. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from healthd.decide.silence import silence_of
from healthd.model import HoldReason, Severity

if TYPE_CHECKING:
    from healthd.decide.state import Ticket
    from healthd.decide.turn import Turn

ORDER: Final = tuple(Severity)

_NOT_TOLD: Final = frozenset({HoldReason.DEPENDENCY, HoldReason.SHUTTING_DOWN})
"""What waits for another issue is told with that one, also where something else holds it as well, as that healing is
switched off; what ends with the host is no news."""


def is_of_interest(turn: Turn, ticket: Ticket) -> bool:
    """Whether it is severe enough, stands for itself, and nobody silenced it."""
    if ORDER.index(ticket.severity) < ORDER.index(turn.settings.alerting.min_severity):
        return False
    if ticket.hold in _NOT_TOLD or any(turn.moment.lacks(turn.settings, ticket.key.component)):
        return False
    return not (turn.state.silences and _is_silenced(turn, ticket))


def _is_silenced(turn: Turn, ticket: Ticket) -> bool:
    component, item, _ = ticket.key
    silences = turn.state.silences
    return silence_of(silences, turn.moment, component=component, item=item, unit=ticket.unit) is not None
