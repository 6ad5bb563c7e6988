"""Why something was not done or not told in one of the worlds, as things stood there then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from healthd.decide.alert import Alert
from healthd.letters import Why
from healthd.model import Severity
from healthd.record.deeds import HELD, OPENED, RESOLVED, STARTED, TOLD
from healthd.simulate.past import tickets_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from healthd.config import Settings
    from healthd.decide.state import EngineState, Key, Ticket
    from healthd.record.deeds import Deed

    Plain = Mapping[str, Any]

_RECEIVERS: Final = {
    "alertmanager_url": "alertmanager",
    "apprise_urls": "apprise",
    "email_notifications": "email",
    "pagerduty_key": "pagerduty",
    "slack_webhook_url": "slack",
    "webhook_url": "webhook",
}
_FIRST: Final = (Why.OPENED, Why.JOINED)
_LAST: Final = (Why.RESOLVED, Why.HEALED)
_NEVER_AGAIN: Final = "alerting.repeat_seconds {} 0"
_ORDER: Final = tuple(Severity)


def receivers_of(alerting: Plain) -> list[str]:
    """The names of those who were told, by the table [alerting] of the record, in the order of the alphabet."""
    return [name for key, name in _RECEIVERS.items() if alerting.get(key)]


def standing(state: EngineState, key: Key) -> str:
    """How an issue would stand: what would be done about it, or why nothing."""
    ticket = state.tickets.get(key)
    if ticket is None or not ticket.open:
        return "nothing would have been wrong with it then"
    if ticket.attempt is not None:
        return f"{ticket.attempt.action} would have been under way"
    return _hold(ticket)


def not_told(settings: Settings, state: EngineState, deed: Deed) -> str:
    """Why people would not have been told then what they were told."""
    alerting, ticket = settings.alerting, state.tickets.get(deed.key)
    alert = next((each for each in state.alerts if deed.key in each.keys and not each.over), None)
    told = alert is not None and deed.key in alert.keys[: alert.told]
    if not alerting.receivers:
        return "nobody is to be told: [alerting] names no receiver"
    if deed.what == Why.HEALED and not alerting.notify_healed:
        return "alerting.notify_healed is false"
    if deed.what == Why.RESOLVED and not told:
        return "nothing would have been told of it"
    if ticket is None or not ticket.open:
        return standing(state, deed.key)
    if _is_less(ticket.severity, alerting.min_severity):
        return f"{ticket.severity} is less than alerting.min_severity, {alerting.min_severity}"
    if deed.what == Why.REPEATED and told:
        return "it would have been told again at other times" if alerting.repeat_seconds else _NEVER_AGAIN.format("is")
    if told and deed.what in _FIRST:
        return "it would have been told already"
    if alert is not None and alert.due is not None:
        return f"it would have waited for what belongs to it: alerting.group_seconds is {alerting.group_seconds:g}"
    return standing(state, deed.key)


class Recorded:
    """How things stood in the record, as far as it says."""

    def __init__(self, frame: Plain) -> None:
        self._alerting: Plain = {}
        self._open: set[Key] = set()
        self._held: dict[Key, str] = {}
        self._told: set[Key] = set()
        self.begin_anew(frame)

    def begin_anew(self, frame: Plain) -> None:
        """At a whole frame."""
        tickets = [ticket for ticket in tickets_of(frame) if ticket.open]
        self._open = {ticket.key for ticket in tickets}
        self._held = {ticket.key: _hold(ticket) for ticket in tickets if ticket.hold is not None}
        alerts = map(Alert.from_plain, frame["state"]["engine"].get("alerts", ()))
        self._told = {alert.keys[0] for alert in alerts if alert.told_at is not None and not alert.over}

    def feed(self, frame: Plain) -> None:
        """Take in the settings, where they are new."""
        self._alerting = frame.get("settings", {}).get("alerting", self._alerting)

    def decided(self, done: Iterable[Deed]) -> None:
        """What came of a step is so from here on."""
        for deed in done:
            if deed.kind == HELD:
                self._held[deed.key] = f"{deed.what}: {deed.text}"
            elif deed.kind == OPENED:
                self._open.add(deed.key)

    def left(self, done: Iterable[Deed]) -> None:
        """What came of a step is not so any more when it is over."""
        for deed in done:
            if deed.kind in (STARTED, RESOLVED):
                self._held.pop(deed.key, None)
            if deed.kind == RESOLVED:
                self._open.discard(deed.key)
            elif deed.kind == TOLD:
                (self._told.discard if deed.what in _LAST else self._told.add)(deed.key)

    def not_done(self, key: Key) -> str:
        """Why healthd did not act then, if that is known."""
        return self._held.get(key, "")

    def not_told(self, deed: Deed) -> str:
        """Why people were not told then what they would have been told."""
        least = Severity(self._alerting.get("min_severity", Severity.HIGH))
        told = deed.key in self._told
        if not receivers_of(self._alerting):
            return "nobody was to be told: [alerting] named no receiver"
        if deed.what == Why.HEALED:
            return "" if self._alerting.get("notify_healed") else "alerting.notify_healed was false"
        if deed.what == Why.RESOLVED and not told:
            return "nothing had been told of it"
        if deed.key not in self._open:
            return "nothing was wrong with it then"
        if _is_less(Severity(deed.severity), least):
            return f"{deed.severity} is less than alerting.min_severity was, {least}"
        if deed.what == Why.REPEATED and told:
            often = self._alerting.get("repeat_seconds", True)
            return "it was told again at other times" if often else _NEVER_AGAIN.format("was")
        if told and deed.what in _FIRST:
            return "it had been told already"
        return self.not_done(deed.key)


def _is_less(severity: Severity, least: Severity) -> bool:
    return _ORDER.index(severity) < _ORDER.index(least)


def _hold(ticket: Ticket) -> str:
    return f"{ticket.hold}: {ticket.hold_text}" if ticket.hold is not None else ticket.hold_text
