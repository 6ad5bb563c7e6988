"""The shapes of what the API takes and gives, as JSON Schema, by name. A test compares them with what is rendered.

Objects that are answered may get further fields one day; those that are sent may not have any others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from healthd.evidence import ChangeKind
from healthd.expose.fields import NAME_CHARS, NAME_PATTERN
from healthd.model import ActionKind, HoldReason, IssueType, OutcomeKind, Severity, State, Status, Trend

if TYPE_CHECKING:
    from collections.abc import Mapping
    from enum import StrEnum

Schema = dict[str, Any]


def _a(kind: str, about: str = "", **more: Any) -> Schema:
    return {"type": kind, **({"description": about} if about else {}), **more}


def _one_of(words: type[StrEnum], about: str = "") -> Schema:
    return _a("string", about, enum=[str(word) for word in words])


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _list(name: str) -> Schema:
    return _a("array", items=_ref(name))


def _answered(about: str = "", **fields: Schema) -> Schema:
    return _a("object", about, properties=fields, required=list(fields))


def _sent(required: tuple[str, ...] = (), **fields: Schema) -> Schema:
    return _a("object", properties=fields, required=list(required), additionalProperties=False)


_TEXT: Final = _a("string")
_FLAG: Final = _a("boolean")
_NUMBER: Final = _a("number")
_COUNT: Final = _a("integer", minimum=0)
_SCORE: Final = _a("number", minimum=0, maximum=1)
_TIME: Final = _a("number", "Unix seconds")
_TIME_OR_NOT: Final = _or_null(_TIME)
_NAME_LIMITS: Final[Schema] = {"minLength": 1, "maxLength": NAME_CHARS, "pattern": NAME_PATTERN}
_NAME: Final = _a("string", "a component, an item or a unit", **_NAME_LIMITS)

_SUMMARY: Final[Mapping[str, Schema]] = {
    "id": _a("integer", minimum=1),
    "title": _TEXT,
    "severity": _one_of(Severity),
    "opened_at": _TIME,
    "ended_at": _TIME_OR_NOT,
    "result": _a("string", "how it ended, or how it stands"),
    "issues": _a("array", "the issues that it is made of", items=_TEXT),
    "units": _a("array", items=_TEXT),
    "attempts": _COUNT,
    "gave_up": _FLAG,
    "follows": _or_null(_a("integer", "the incident of the same issue that ended shortly before", minimum=1)),
    "part_of": _or_null(_a("integer", "the incident that it turned out to be a part of", minimum=1)),
    "changes": _list("Change"),
    "looked": _a("boolean", "whether it was looked for changes yet"),
}

SCHEMAS: Final[Mapping[str, Schema]] = {
    "Text": _TEXT,
    "Object": _a("object"),
    "Error": _answered("What is wrong, and what to do instead.", error=_TEXT, hint=_TEXT),
    "Refusal": _a(
        "object",
        "A configuration that is refused.",
        properties={"error": _TEXT, "hint": _TEXT, "problems": _list("Problem")},
        required=["error", "hint"],
    ),
    "Problem": _answered(
        "One mistake in the configuration; `text` is all of it in one line.",
        file=_TEXT,
        line=_or_null(_COUNT),
        key=_TEXT,
        found=_TEXT,
        allowed=_TEXT,
        text=_TEXT,
    ),
    "Alive": _answered(status=_a("string", enum=["alive"]), timestamp=_a("integer", "Unix seconds")),
    "HealthStatus": _answered(
        "How the host is.",
        status=_one_of(Status),
        state=_one_of(State),
        overall_score=_SCORE,
        uptime_seconds=_a("number", "since when healthd runs"),
        memory_mb=_a("integer", "used memory of the host", minimum=0),
        active_peers=_COUNT,
        version=_TEXT,
        timestamp=_TIME,
        health_checks=_ref("Components"),
        silences=_list("Silence"),
    ),
    "Components": _a("object", "Components by name.", additionalProperties=_ref("Component")),
    "Component": _answered(
        status=_one_of(Status),
        score=_SCORE,
        weight=_a("number", minimum=0),
        message=_TEXT,
        last_check=_or_null(_TIME),
        trend=_one_of(Trend),
        critical=_FLAG,
        issues=_list("Issue"),
        items=_list("Item"),
        values=_list("Value"),
    ),
    "Item": _answered(
        "One part of a component.",
        name=_TEXT,
        status=_one_of(Status),
        score=_SCORE,
        message=_TEXT,
        unit=_or_null(_TEXT),
        critical=_FLAG,
        stopped=_FLAG,
        values=_list("Value"),
    ),
    "Value": _answered(
        "A sampled number with its limits, and when it will be critical at its present pace.",
        name=_TEXT,
        value=_NUMBER,
        warning=_or_null(_NUMBER),
        critical=_or_null(_NUMBER),
        seconds_to_critical=_or_null(_NUMBER),
    ),
    "Silences": _list("Silence"),
    "Tried": _answered(tried=_list("Try")),
    "Try": _answered(
        "What a receiver made of a test.",
        receiver=_TEXT,
        ok=_FLAG,
        text=_a("string", "its answer in words"),
        took=_a("number", "seconds from the order to the answer"),
        final=_FLAG,
    ),
    "Resumed": _answered(resumed=_list("Silence")),
    "Silence": _answered(
        "What is silenced, by whom, why and how long. Between the windows of a calendar it is not in force.",
        id=_TEXT,
        scope=_a("string", "kind and name in words"),
        kind=_a("string", enum=["all", "component", "item", "units"]),
        name=_TEXT,
        by=_TEXT,
        reason=_TEXT,
        set_at=_TIME,
        until=_or_null(_a("number", "Unix seconds; null: not by time")),
        **{"while": _or_null(_a("string", "the unit that it ends with"))},
        calendar=_or_null(_TEXT),
        for_seconds=_or_null(_NUMBER),
        in_force=_FLAG,
        begins=_or_null(_a("number", "when the next window opens, Unix seconds")),
    ),
    "Issues": _list("Issue"),
    "Issue": _answered(
        "Something that is wrong, and what healing does about it.",
        id=_TEXT,
        component=_TEXT,
        item=_TEXT,
        type=_one_of(IssueType),
        severity=_one_of(Severity),
        message=_TEXT,
        unit=_or_null(_TEXT),
        opened_at=_TIME,
        attempts=_COUNT,
        max_attempts=_COUNT,
        gave_up=_FLAG,
        healing=_FLAG,
        hold=_or_null(_one_of(HoldReason, "why healthd does not act")),
        hold_text=_TEXT,
        until=_TIME_OR_NOT,
        incident=_or_null(_COUNT),
        suggestion=_or_null(
            _answered("What healing would do and leaves to people; hold_text says why.", action=_TEXT, command=_TEXT)
        ),
    ),
    "Ledger": _list("Outcomes"),
    "Outcomes": _answered(
        "How an action did against a class of failures of a unit, or of a part of a component.",
        subject=_TEXT,
        failure=_a("string", "the class of the failure, or the type of the issue"),
        action=_a("string", "run_unit with the unit that it runs"),
        helped=_COUNT,
        failed=_COUNT,
        failed_in_a_row=_a("integer", "since it last helped", minimum=0),
        last_at=_TIME,
        trusted=_a("boolean", "false: it is only suggested"),
        retry_at=_or_null(_a("number", "when it is tried once more, Unix seconds")),
    ),
    "Budget": _answered(
        limit=_a("integer", "0: none", minimum=0),
        remaining=_or_null(_COUNT),
        window_seconds=_a("number", minimum=0),
        used=_a("array", items=_answered(unit=_TEXT, at=_TIME)),
        next_at=_TIME_OR_NOT,
    ),
    "Explanation": _answered(
        name=_TEXT,
        component=_TEXT,
        status=_one_of(Status),
        score=_SCORE,
        message=_TEXT,
        limit=_TEXT,
        facts=_a("object", additionalProperties=_TEXT),
        issue=_or_null(_ref("Issue")),
        decision=_a("string", enum=["act", "hold", "running", "nothing"]),
        action=_or_null(_one_of(ActionKind)),
        hold=_or_null(_one_of(HoldReason)),
        hold_text=_TEXT,
        until=_TIME_OR_NOT,
        also_restarts=_a("array", items=_TEXT),
        budget=_ref("Budget"),
    ),
    "Finished": _answered(
        decision=_a("string", enum=["act", "hold"]),
        action=_or_null(_one_of(ActionKind)),
        hold=_or_null(_one_of(HoldReason)),
        text=_TEXT,
        outcome=_or_null(_one_of(OutcomeKind)),
        until=_TIME_OR_NOT,
    ),
    "Diagnoses": _a(
        "array",
        "`ok` is null for what is off here and need not work.",
        items=_answered(name=_TEXT, ok=_or_null(_FLAG), text=_TEXT, remedy=_TEXT),
    ),
    "History": _answered(
        "What was. A point stands for about `step` seconds; without a reading there is none.",
        since=_TIME,
        until=_TIME,
        step=_a("number", minimum=0),
        series=_list("SeriesHistory"),
        events=_a("array", "the newest last, at most 500", items=_ref("Event")),
    ),
    "SeriesHistory": _answered(
        "One number over time, oldest first. The component of the host itself is empty, as is the item of a component.",
        component=_TEXT,
        item=_TEXT,
        name=_TEXT,
        points=_a("array", items=_a("array", "at, min, mean, max", items=_NUMBER, minItems=4, maxItems=4)),
    ),
    "Event": _answered(
        "Something that happened, with what applies of it.",
        at=_TIME,
        event=_TEXT,
        component=_TEXT,
        item=_TEXT,
        issue=_or_null(_TEXT),
        severity=_or_null(_TEXT),
        status=_or_null(_TEXT),
        score=_or_null(_NUMBER),
        action=_or_null(_TEXT),
        unit=_or_null(_TEXT),
        attempt=_or_null(_COUNT),
        outcome=_or_null(_TEXT),
        reason=_or_null(_TEXT),
        duration_ms=_or_null(_a("integer")),
        incident=_or_null(_COUNT),
        message=_TEXT,
    ),
    "Incidents": _list("IncidentSummary"),
    "IncidentSummary": _answered(
        "Something that went wrong, in short; `ended_at` is null while it goes on.", **_SUMMARY
    ),
    "Incident": _answered(
        "Something that went wrong, from its first sign to the verified recovery.",
        **_SUMMARY,
        missed=_a("array", "what could not be looked at", items=_TEXT),
        surroundings=_or_null(_ref("Surroundings")),
        runs=_list("Run"),
        events=_a("array", "oldest first, at most 500", items=_ref("Event")),
    ),
    "Change": _answered(
        "What changed within the hour before. `own`: it concerns a unit of the incident itself.",
        at=_TIME,
        kind=_one_of(ChangeKind),
        what=_TEXT,
        text=_TEXT,
        own=_FLAG,
    ),
    "Surroundings": _answered(
        "How host and component stood when it began; `pressure` is in percent of the last 10 s.",
        memory_total=_or_null(_COUNT),
        memory_available=_or_null(_COUNT),
        load=_or_null(_NUMBER),
        pressure=_a("object", additionalProperties=_NUMBER),
        score=_or_null(_SCORE),
        trend=_or_null(_TEXT),
        values=_a("object", additionalProperties=_NUMBER),
        seconds_to_critical=_or_null(_NUMBER),
        beside=_a("array", "other issues that were open", items=_TEXT),
    ),
    "Run": _answered(
        "A run of a unit that failed, or that healing ended; `memory` (bytes) and `tasks` are from just before that.",
        unit=_TEXT,
        invocation=_TEXT,
        at=_TIME,
        text=_TEXT,
        result=_TEXT,
        code=_COUNT,
        exit_status=_a("integer"),
        memory=_or_null(_COUNT),
        tasks=_or_null(_COUNT),
        lines=_a("array", "its last lines in the journal", items=_answered(at=_TIME, source=_TEXT, text=_TEXT)),
        core=_or_null(_answered(at=_TIME, pid=_COUNT, signal=_TEXT, program=_TEXT, file=_TEXT)),
    ),
    "Reset": _answered(
        reset=_a("array", "the issues that were reset, and the actions that are trusted again", items=_TEXT)
    ),
    "Reloaded": _answered(
        reloaded=_a("boolean", enum=[True]),
        warnings=_a("array", "what should be looked at, though it is in force", items=_TEXT),
    ),
    "Heard": _answered(heard=_TEXT),
}

BODIES: Final[Mapping[str, Schema]] = {
    "/api/v1/heal": _sent(
        ("name",), name=_NAME, action=_or_null(_one_of(ActionKind, "null: what the failure calls for")), dry_run=_FLAG
    ),
    "/api/v1/check": _sent(name=_or_null(_NAME)),
    "/api/v1/reset": _sent(("name",), name=_NAME),
    "/api/v1/silence": _sent(
        (),
        name=_or_null(_NAME),
        all=_FLAG,
        for_seconds=_or_null(_a("number", "null: an hour, or as long as the unit runs", minimum=1, maximum=31_622_400)),
        **{"while": _or_null(_a("string", "a unit that runs: it ends with it", **_NAME_LIMITS))},
        calendar=_or_null(_a("string", "systemd.time(7): a window begins each time", maxLength=1000)),
        reason=_a("string", maxLength=200),
    ),
    "/api/v1/alert": _sent(receiver=_or_null(_a("string", "null: all of them", **_NAME_LIMITS))),
    "/api/v1/resume": _sent(name=_or_null(_NAME), all=_FLAG),
}
"""What may be sent, by path; all others take an empty object, or nothing."""

EMPTY: Final = _sent()

_WHEN: Final = _a("number", "seconds before now; Unix seconds or ISO 8601 with its zone do as well", minimum=0)

PARAMETERS: Final[Mapping[str, Schema]] = {
    "component": {"schema": _TEXT, "description": "a component; empty: the host itself; left out: all scores"},
    "item": {"schema": _TEXT, "description": "an item of it; empty: the component itself; left out: any"},
    "name": {"schema": _TEXT, "description": "a value, or score; left out: any"},
    "since": {"schema": _WHEN, "description": "from when; left out: two hours ago"},
    "until": {"schema": _WHEN, "description": "until when; left out: now"},
    "most": {"schema": _a("integer", minimum=1, maximum=1000), "description": "incidents at most; 100"},
    "points": {"schema": _a("integer", minimum=1, maximum=1000), "description": "points a series at most; 300"},
}
"""The parameters of queries by name: `{"schema": ..., "description": ...}`."""

PATH_NAME: Final = _a("string", minLength=1)
