"""PagerDuty, by its Events API v2: an alert is triggered and resolved by one key. A note pages nobody."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from healthd.letters import Why
from healthd.model import Severity
from healthd.registry import ReceiverSpec

if TYPE_CHECKING:
    from healthd.config import AlertingSettings
    from healthd.letters import Letter
    from healthd.registry import Reveal, Ways

_SUMMARY_CHARS: Final = 1024
_SEVERITIES: Final = {
    Severity.CRITICAL: "critical",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "info",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The address of the service, and the routing key of the integration."""

    url: str
    key: str


def options(settings: AlertingSettings, reveal: Reveal) -> Options:
    """What of the settings it needs."""
    return Options(url=settings.pagerduty_url, key=reveal(settings.pagerduty_key))


async def send(ways: Ways, letter: Letter, options: Options) -> None:
    """Enqueue an event; a test is resolved right after, so that it leaves nothing open."""
    if letter.note:
        await _enqueue(ways, change(letter, options.key), options, "change/enqueue")
        return
    await _enqueue(ways, event(letter, options.key), options)
    if letter.why is Why.TEST:
        await _enqueue(ways, {**event(letter, options.key), "event_action": "resolve"}, options)


async def _enqueue(ways: Ways, said: dict[str, Any], options: Options, where: str = "enqueue") -> None:
    url = f"{options.url.rstrip('/')}/v2/{where}"
    await ways.post(url, json.dumps(said, ensure_ascii=False).encode(), {})


def event(letter: Letter, key: str) -> dict[str, Any]:
    """The event as PagerDuty wants it."""
    said: dict[str, Any] = {
        "routing_key": key,
        "event_action": "resolve" if letter.over else "trigger",
        "dedup_key": f"healthd-{letter.key}",
    }
    if letter.over:
        return said
    main = letter.main
    payload = {**_payload(letter, letter.opened_at), "severity": _SEVERITIES[letter.severity]}
    if main is not None:
        payload |= {"component": main.item or main.component, "group": main.component, "class": main.type}
    return {**said, "client": "healthd", "payload": payload}


def change(letter: Letter, key: str) -> dict[str, Any]:
    """The change event as PagerDuty wants it: it stands among what had changed when somebody looks at an incident."""
    return {"routing_key": key, "payload": _payload(letter, letter.at)}


def _payload(letter: Letter, wall: float) -> dict[str, Any]:
    return {
        "summary": f"{letter.host}: {letter.title}"[:_SUMMARY_CHARS],
        "source": letter.host,
        "timestamp": datetime.fromtimestamp(wall, UTC).isoformat(timespec="milliseconds"),
        "custom_details": {
            "why": letter.why.value,
            "what_healthd_did": letter.text,
            "changed_before": letter.changed,
            "last_lines": "\n".join(letter.evidence),
            "issues": [issue.id for issue in letter.issues],
            "incident": letter.incident,
            "look": list(letter.hints),
        },
    }


RECEIVER = ReceiverSpec(name="pagerduty", options=options, send=send)
