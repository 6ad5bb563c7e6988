"""The nouns as plain JSON data, spelled out: what is not named here stays inside. Times are Unix seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from healthd.answers import Budget, Diagnosis, Explanation, Finished, HealthStatus, History, Note, Outcomes, Quiet
    from healthd.model import Health, Issue, Item, Measure, Problem

_SCORE_DIGITS: Final = 4
_VALUE_DIGITS: Final = 6


def status(value: HealthStatus) -> dict[str, Any]:
    """The health status of the contract: `health_checks` by component name."""
    return {
        "status": value.status,
        "state": value.state,
        "overall_score": round(value.overall_score, _SCORE_DIGITS),
        "uptime_seconds": value.uptime_seconds,
        "memory_mb": value.memory_mb,
        "active_peers": value.active_peers,
        "version": value.version,
        "timestamp": value.timestamp,
        "health_checks": components(value),
        "silences": [silence(one) for one in value.silences],
    }


def silence(value: Quiet) -> dict[str, Any]:
    """A silence; what does not apply to it is null."""
    return {
        "id": value.id,
        "scope": value.scope,
        "kind": value.kind,
        "name": value.name,
        "by": value.by,
        "reason": value.reason,
        "set_at": value.set_at,
        "until": value.until,
        "while": value.while_unit,
        "calendar": value.calendar,
        "for_seconds": value.seconds,
        "in_force": value.in_force,
        "begins": value.begins,
    }


def components(value: HealthStatus) -> dict[str, Any]:
    """Every component by its name."""
    return {name: component(health) for name, health in value.health_checks.items()}


def component(value: Health) -> dict[str, Any]:
    """One component with its issues and items."""
    return {
        "status": value.status,
        "score": round(value.score, _SCORE_DIGITS),
        "weight": value.weight,
        "message": value.message,
        "last_check": value.last_check,
        "trend": value.trend,
        "critical": value.critical,
        "issues": [issue(one) for one in value.issues],
        "items": [item(one) for one in value.items],
        "values": [measure(one) for one in value.measures],
    }


def item(value: Item) -> dict[str, Any]:
    """One part of a component. `unit` is null where no unit stands behind it."""
    return {
        "name": value.name,
        "status": value.status,
        "score": round(value.score, _SCORE_DIGITS),
        "message": value.message,
        "unit": value.unit,
        "critical": value.critical,
        "stopped": value.stopped,
        "values": [measure(one) for one in value.measures],
    }


def measure(value: Measure) -> dict[str, Any]:
    """A sampled number with its limits; null where there is none, or where it does not run to `critical`."""
    return {
        "name": value.name,
        "value": round(value.value, _VALUE_DIGITS),
        "warning": value.warning,
        "critical": value.critical,
        "seconds_to_critical": value.seconds_to_critical,
    }


def issue(value: Issue) -> dict[str, Any]:
    """An open issue, with what healing does about it: `hold` and `until` are null where nothing holds it."""
    return {
        "id": value.id,
        "component": value.component,
        "item": value.item,
        "type": value.type,
        "severity": value.severity,
        "message": value.message,
        "unit": value.unit,
        "opened_at": value.opened_at,
        "attempts": value.attempts,
        "max_attempts": value.max_attempts,
        "gave_up": value.gave_up,
        "healing": value.healing,
        "hold": value.hold,
        "hold_text": value.hold_text,
        "until": value.until,
        "incident": value.incident or None,
        "suggestion": {"action": value.suggested, "command": value.command} if value.suggested else None,
    }


def outcomes(value: Outcomes) -> dict[str, Any]:
    """How an action did; `retry_at` is null where it is not only suggested, or not for a time."""
    return {
        "subject": value.subject,
        "failure": value.failure,
        "action": value.action,
        "helped": value.helped,
        "failed": value.failed,
        "failed_in_a_row": value.in_a_row,
        "last_at": value.last_at,
        "trusted": value.trusted,
        "retry_at": value.retry_at,
    }


def budget(value: Budget) -> dict[str, Any]:
    """The host-wide budget; `used` are the actions within the window, `remaining` is null without a limit."""
    return {
        "limit": value.limit,
        "remaining": value.remaining,
        "window_seconds": value.window_seconds,
        "used": [{"unit": unit, "at": at} for unit, at in value.used],
        "next_at": value.next_at,
    }


def explanation(value: Explanation) -> dict[str, Any]:
    """Why something stands as it does, and what healing would do."""
    return {
        "name": value.name,
        "component": value.component,
        "status": value.status,
        "score": round(value.score, _SCORE_DIGITS),
        "message": value.message,
        "limit": value.limit,
        "facts": dict(value.facts),
        "issue": None if value.issue is None else issue(value.issue),
        "decision": value.decision,
        "action": value.action,
        "hold": value.hold,
        "hold_text": value.hold_text,
        "until": value.until,
        "also_restarts": list(value.also_restarts),
        "budget": budget(value.budget),
    }


def finished(value: Finished) -> dict[str, Any]:
    """How a heal that was asked for ended."""
    return {
        "decision": value.decision,
        "action": value.action,
        "hold": value.hold,
        "text": value.text,
        "outcome": value.outcome,
        "until": value.until,
    }


def diagnosis(value: Diagnosis) -> dict[str, Any]:
    """One line of doctor; `ok` is null for what is off here and need not work."""
    return {"name": value.name, "ok": value.ok, "text": value.text, "remedy": value.remedy}


def history(value: History) -> dict[str, Any]:
    """What was: a point is `[at, min, mean, max]`, and events have null where something does not apply."""
    return {
        "since": value.since,
        "until": value.until,
        "step": value.step,
        "series": [
            {"component": each.series.component, "item": each.series.item, "name": each.series.name}
            | {"points": each.points}
            for each in value.series
        ],
        "events": [event(each) for each in value.events],
    }


def event(value: Note) -> dict[str, Any]:
    """Something that happened."""
    return {
        "at": value.at,
        "event": value.event,
        "component": value.component,
        "item": value.item,
        "issue": value.issue or None,
        "severity": value.severity or None,
        "status": value.status or None,
        "score": value.score,
        "action": value.action or None,
        "unit": value.unit or None,
        "attempt": value.attempt,
        "outcome": value.outcome or None,
        "reason": value.reason or None,
        "duration_ms": value.duration_ms,
        "incident": value.incident,
        "message": value.message,
    }


def problem(value: Problem) -> dict[str, Any]:
    """One mistake in the configuration; `text` is all of it in one line."""
    return {
        "file": value.file,
        "line": value.line,
        "key": value.key,
        "found": value.found,
        "allowed": value.allowed,
        "text": str(value),
    }
