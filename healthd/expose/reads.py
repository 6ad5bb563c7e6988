"""What can be read: the GET half of the API. Clients without the right to read see views of a sanitised status."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from healthd.errors import RequestError
from healthd.expose import exposition, live, render
from healthd.expose.message import Answer, Part, Right, as_json
from healthd.expose.routes import Route
from healthd.expose.sanitise import sanitised

if TYPE_CHECKING:
    from healthd.answers import HealthStatus
    from healthd.expose.routes import Ask
    from healthd.ports import Control

OPENMETRICS: Final = "application/openmetrics-text"
_NUMBER_CHARS: Final = 15
_TEXT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_OPENMETRICS_TYPE: Final = f"{OPENMETRICS}; version=1.0.0; charset=utf-8"


async def alive(_control: Control, _ask: Ask) -> Answer:
    """The event loop turns. Nothing is asked for, so that no fault elsewhere has a prober take healthd for dead."""
    return as_json({"status": "alive", "timestamp": int(time.time())})


async def ready(control: Control, ask: Ask) -> Answer:
    """The health status, with a status code for load balancers."""
    status = _status(control, ask)
    return as_json(render.status(status), status=200 if status.ready else 503)


async def health(control: Control, ask: Ask) -> Answer:
    """The health status."""
    return as_json(render.status(_status(control, ask)))


async def components(control: Control, ask: Ask) -> Answer:
    """Every component by its name."""
    return as_json(render.components(_status(control, ask)))


async def component(control: Control, ask: Ask) -> Answer:
    """One component."""
    status = _status(control, ask)
    known = status.health_checks
    if ask.name in status.left_out:
        raise RequestError(
            404, f"{ask.name} is left out: {status.left_out[ask.name]}", hint=f"healthctl explain {ask.name}"
        )
    if ask.name not in known:
        hint = f"known: {', '.join(known) or 'none yet'}"
        raise RequestError(404, f"there is no component {ask.name!r}", hint=hint)
    return as_json(render.component(known[ask.name]))


async def issues(control: Control, _ask: Ask) -> Answer:
    """Open issues."""
    return as_json([render.issue(issue) for issue in control.issues()])


async def silences(control: Control, _ask: Ask) -> Answer:
    """What is silenced."""
    return as_json([render.silence(one) for one in control.silences()])


async def ledger(control: Control, _ask: Ask) -> Answer:
    """How often which action helped."""
    return as_json([render.outcomes(one) for one in control.ledger()])


async def budget(control: Control, _ask: Ask) -> Answer:
    """What is left of the host's budget."""
    return as_json(render.budget(control.budget()))


async def config(control: Control, _ask: Ask) -> Answer:
    """The settings in force."""
    return as_json(dict(control.config()))


async def explain(control: Control, ask: Ask) -> Answer:
    """Why something is as it is."""
    return as_json(render.explanation(await control.explain(ask.name)))


async def history(control: Control, ask: Ask) -> Answer:
    """What was."""
    from healthd.expose import past  # noqa: PLC0415  datetime is not for everybody

    return as_json(render.history(await control.history(past.asked(ask.request.query, time.time()))))


async def incidents(control: Control, ask: Ask) -> Answer:
    """What went wrong lately."""
    from healthd.expose import dossier, past  # noqa: PLC0415  datetime is not for everybody

    since, most = past.incidents_asked(ask.request.query, time.time())
    return as_json([dossier.summary(each) for each in await control.incidents(since=since, most=most)])


async def incident(control: Control, ask: Ask) -> Answer:
    """One incident with all that is known of it."""
    from healthd.expose import dossier  # noqa: PLC0415  what is looked at when something went wrong

    return as_json(dossier.whole(await control.incident(_number(ask.name))))


def _number(name: str) -> int:
    """The number of an incident; 0 for the newest."""
    if name == "last":
        return 0
    if not (name.isascii() and name.isdigit() and 0 < len(name) <= _NUMBER_CHARS and int(name)):
        raise RequestError(404, "incidents have numbers", hint="GET /api/v1/incidents lists them; last is the newest")
    return int(name)


async def doctor(control: Control, _ask: Ask) -> Answer:
    """What works here and what does not."""
    return as_json([render.diagnosis(line) for line in await control.diagnose()])


async def metrics(control: Control, ask: Ask) -> Answer:
    """The metrics, in the format that the scraper asks for."""
    openmetrics = _prefers_openmetrics(ask.request.headers.get("accept", ""))
    page = exposition.text(control.families(), openmetrics=openmetrics)
    return Answer(status=200, body=page, content_type=_OPENMETRICS_TYPE if openmetrics else _TEXT_TYPE)


@lru_cache(maxsize=16)
def _prefers_openmetrics(accept: str) -> bool:
    """Whether OpenMetrics is asked for, and no less than the older format (RFC 9110, 12.5.1)."""
    wanted: dict[str, float] = {}
    for one in accept.lower().split(","):
        kind, *parameters = (part.strip() for part in one.split(";"))
        weights = [part[2:] for part in parameters if part.startswith("q=")]
        try:
            wanted[kind] = float(weights[0]) if weights else 1.0
        except ValueError:
            wanted[kind] = 0.0
    return wanted.get(OPENMETRICS, 0.0) > 0 and wanted[OPENMETRICS] >= wanted.get("text/plain", 0.0)


async def page(_control: Control, _ask: Ask) -> Answer:
    """What a browser gets."""
    from healthd.expose.page import page as the_page  # noqa: PLC0415  many hosts are never looked at by a browser

    return the_page()


def _status(control: Control, ask: Ask) -> HealthStatus:
    status = control.status()
    return status if ask.full else sanitised(status)


READS: Final = (
    Route(
        path="/health/live",
        call=alive,
        right=Right.PROBE,
        about="Whether healthd is alive: its event loop turns.",
        answer="Alive",
    ),
    Route(
        path="/health/ready",
        call=ready,
        right=Right.READ,
        outline=Right.PROBE,
        about="Whether the host is ready (200) or not (503); without a key in the sanitised form.",
        answer="HealthStatus",
        errors=(503,),
        cached=True,
    ),
    Route(
        path="/health",
        call=health,
        right=Right.READ,
        outline=Right.OUTLINE,
        about="The health status.",
        answer="HealthStatus",
        cached=True,
    ),
    Route(
        path="/api/v1/status",
        call=health,
        right=Right.READ,
        outline=Right.OUTLINE,
        about="The health status.",
        answer="HealthStatus",
        cached=True,
    ),
    Route(
        path="/api/v1/components",
        call=components,
        right=Right.READ,
        outline=Right.OUTLINE,
        about="Every component by its name.",
        answer="Components",
        cached=True,
    ),
    Route(
        path="/api/v1/components/{name}",
        call=component,
        right=Right.READ,
        outline=Right.OUTLINE,
        about="One component.",
        answer="Component",
        errors=(404,),
    ),
    Route(
        path="/api/v1/issues",
        call=issues,
        right=Right.READ,
        about="Open issues, worst first.",
        answer="Issues",
    ),
    Route(
        path="/api/v1/silences",
        call=silences,
        right=Right.READ,
        about="What is silenced, by whom, why and until when.",
        answer="Silences",
    ),
    Route(
        path="/api/v1/ledger",
        call=ledger,
        right=Right.READ,
        about="How often which action helped against which failure of what; those first that are only suggested.",
        answer="Ledger",
    ),
    Route(
        path="/api/v1/budget",
        call=budget,
        right=Right.READ,
        about="What is left of the host-wide budget of actions.",
        answer="Budget",
    ),
    Route(
        path="/api/v1/config",
        call=config,
        right=Right.READ,
        about="The settings in force as the tables of the configuration, secrets as ***.",
        answer="Object",
    ),
    Route(
        path="/api/v1/explain/{name}",
        call=explain,
        right=Right.READ,
        about="Why a component, item or unit is as it is, and what healing would do now.",
        answer="Explanation",
        errors=(404, 503),
    ),
    Route(
        path="/api/v1/history",
        call=history,
        right=Right.READ,
        about="What was: scores and values over time, and what happened.",
        answer="History",
        query=("component", "item", "name", "since", "until", "points"),
        errors=(404, 503),
    ),
    Route(
        path="/api/v1/incidents",
        call=incidents,
        right=Right.READ,
        about="Incidents, the newest first: what went wrong, what changed before, and how it ended.",
        answer="Incidents",
        query=("since", "most"),
        errors=(404, 503),
    ),
    Route(
        path="/api/v1/incidents/{name}",
        call=incident,
        right=Right.READ,
        about="An incident by its number, or the last one: what happened, evidence, and what changed before.",
        answer="Incident",
        errors=(404, 503),
    ),
    Route(
        path="/api/v1/events",
        call=live.events,
        right=Right.READ,
        about="The health status as it changes: server-sent events named status, a comment every 15 s; ends by itself.",
        answer="Text",
        errors=(503,),
        content_type="text/event-stream",
    ),
    Route(
        path="/api/v1/doctor",
        call=doctor,
        right=Right.READ,
        about="Whether all that healthd needs works here.",
        answer="Diagnoses",
        errors=(503, 504),
    ),
    Route(
        path="/metrics",
        call=metrics,
        right=Right.METRICS,
        part=Part.METRICS,
        about="Metrics in Prometheus' text format, or in OpenMetrics by Accept.",
        answer="Text",
        content_type="text/plain",
    ),
    Route(
        path="/",
        call=page,
        right=None,
        about="The page for a browser.",
        answer="Text",
        content_type="text/html",
    ),
)
