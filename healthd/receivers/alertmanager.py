"""Prometheus Alertmanager, by its API v2. It forgets what it does not hear of, so it is told as long as an alert lasts.

The labels name the alert: they are the same from the first message to the last, the severity of the first included.
That healthd gave up is an alert of its own beside it, a critical one. Notes it does not get: it knows what goes on, and
nothing that was.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from healthd.config.kinds import each_of
from healthd.errors import DeliveryError
from healthd.letters import Why
from healthd.model import Severity
from healthd.registry import ReceiverSpec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from healthd.config import AlertingSettings
    from healthd.letters import Letter
    from healthd.registry import Reveal, Ways

LASTS_SECONDS: Final = 600.0
"""An alert that Alertmanager does not hear of for so long is over to it: healthd repeats it every 150 s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The addresses of all peers: each is told, as Prometheus does."""

    urls: tuple[str, ...]


def options(settings: AlertingSettings, reveal: Reveal) -> Options:
    """What of the settings it needs. A credential holds one address or those of all peers, apart by spaces or lines."""
    return Options(urls=each_of(settings.alertmanager_url, reveal))


async def send(ways: Ways, letter: Letter, options: Options) -> Mapping[str, DeliveryError]:
    """Tell every peer. One that takes it is enough, since they tell each other; returns who did not."""
    body = json.dumps(alerts(letter, ways.wall()), ensure_ascii=False).encode()
    posts = (ways.post(f"{url.rstrip('/')}/api/v2/alerts", body, {}) for url in options.urls)
    results = await asyncio.gather(*posts, return_exceptions=True)
    failed: dict[str, DeliveryError] = {}
    for number, (url, result) in enumerate(zip(options.urls, results, strict=True), 1):
        if isinstance(result, DeliveryError):
            failed[url] = DeliveryError(f"address {number} ({_host(url)}): {result}", wait=result.wait)
        elif isinstance(result, BaseException):
            raise result
    if len(failed) == len(results):
        raise next(result for result in results if isinstance(result, DeliveryError))
    return failed


def _host(url: str) -> str:
    """Who it is, without user and password."""
    return url.partition("://")[2].partition("/")[0].rpartition("@")[2]


def alerts(letter: Letter, now: float) -> list[dict[str, Any]]:
    """The alerts as Alertmanager wants them. A letter may be old: what it says lasts from `now` (Unix seconds) on."""
    ends = letter.at if letter.over else now + (1.0 if letter.why is Why.TEST else LASTS_SECONDS)
    said = {
        "annotations": _annotations(letter),
        "startsAt": _time(min(letter.opened_at, letter.at)),
        "endsAt": _time(max(ends, letter.opened_at)),
    }
    labels = _labels(letter)
    found = [{"labels": labels, **said}]
    if letter.gave_up:
        found.append(
            {"labels": {**labels, "alertname": "healthd_gave_up", "severity": Severity.CRITICAL.value}, **said}
        )
    return found


def _labels(letter: Letter) -> Mapping[str, str]:
    main = letter.main
    labels = {"severity": letter.routed.value, "instance": letter.host, "job": "healthd", "alert": letter.key}
    if main is None:
        return {"alertname": "healthd_test" if letter.why is Why.TEST else "healthd_failed", **labels}
    own = {"component": main.component, "item": main.item, "unit": main.item if main.component == "services" else ""}
    return {"alertname": f"healthd_{main.type}", **labels, **{name: value for name, value in own.items() if value}}


def _annotations(letter: Letter) -> Mapping[str, str]:
    said = {
        "summary": letter.title,
        "description": letter.text,
        "changed_before": letter.changed,
        "last_lines": "\n".join(letter.evidence),
        "look": "; ".join(letter.hints),
    }
    return {name: value for name, value in said.items() if value}


def _time(wall: float) -> str:
    return datetime.fromtimestamp(wall, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


RECEIVER = ReceiverSpec(name="alertmanager", options=options, send=send, keeps_alive=True, takes_notes=False)
