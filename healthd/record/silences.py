"""What is said of silences: who silenced what, why, until when, and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthd.decide.happenings import Silenced, SilenceEnded, SilenceLasts, WindowOpened
from healthd.decide.silence import why
from healthd.events import Event
from healthd.model import Severity
from healthd.record.words import clock_time, span

if TYPE_CHECKING:
    from healthd.decide.happenings import OfSilences
    from healthd.decide.silence import Silence


def silence_story(happening: OfSilences, wall: float) -> tuple[Event, str, Severity | None]:
    """The event, the message and the severity of its record. `wall` is now, in Unix seconds."""
    silence = happening.silence
    about = f"{silence.scope} ({silence.id}{why(silence)})"
    match happening:
        case Silenced():
            return Event.SILENCE_STARTED, f"{silence.by} silenced {about} {_for_how_long(silence, wall)}", None
        case WindowOpened(ends=ends):
            till = clock_time(ends, now=wall)
            text = f"{about}, as {silence.by} set it, is silenced until {till} by its calendar '{silence.calendar}'"
            return Event.SILENCE_STARTED, text, None
        case SilenceEnded(text=text, lasted=lasted):
            return Event.SILENCE_ENDED, f"{about} is silenced no more: {text} (it was set {span(lasted)} ago)", None
        case SilenceLasts(lasted=lasted):
            text = (
                f"{about} is still silenced, as {silence.by} set it {span(lasted)} ago. Was that forgotten? "
                f"healthctl resume {silence.id} ends it"
            )
            return Event.SILENCE_LASTS, text, Severity.MEDIUM


def _for_how_long(silence: Silence, wall: float) -> str:
    if silence.calendar:
        return f"for {span(silence.seconds)} from each time of the calendar '{silence.calendar}' on"
    till = "" if silence.until is None else f"until {clock_time(wall + silence.seconds, now=wall)}"
    if not silence.unit:
        return till
    return f"while {silence.unit} runs" + (f", {till} at most" if till else "")
