"""What is said of the ledger: which action healthd trusts no more, and which it trusts again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthd.decide.happenings import Distrusted
from healthd.events import Event
from healthd.model import Severity

if TYPE_CHECKING:
    from healthd.decide.happenings import OfTheLedger


def trust_story(happening: OfTheLedger) -> tuple[Event, str, Severity | None]:
    """The event, the message and the severity of its record."""
    name, page = happening.name, happening.page
    about = f"{name.action} for {name.failure} of {name.subject}"
    if isinstance(happening, Distrusted):
        tries = f"it helped {page.helped} of {page.helped + page.failed} times"
        text = f"{about} did not help the last {page.in_a_row} times ({tries}): from now on it is only suggested"
        return Event.ACTION_DISTRUSTED, text, Severity.MEDIUM
    return Event.ACTION_TRUSTED, f"{about} is carried out by itself again: {happening.text}", None
