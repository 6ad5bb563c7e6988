"""An incident as plain JSON data, and the shape of that. Only imported when somebody asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from healthd.expose.render import event

if TYPE_CHECKING:
    from healthd.evidence import Change, CoreDump, Incident, Run, Surroundings


def summary(value: Incident) -> dict[str, Any]:
    """An incident in short. `ended_at` is null while it goes on."""
    return {
        "id": value.id,
        "title": value.title,
        "severity": value.severity,
        "opened_at": value.opened_at,
        "ended_at": value.ended_at,
        "result": value.result,
        "issues": list(value.issues),
        "units": list(value.units),
        "attempts": value.attempts,
        "gave_up": value.gave_up,
        "follows": value.follows or None,
        "part_of": value.part_of or None,
        "changes": [change(each) for each in value.changes],
        "looked": value.looked,
    }


def whole(value: Incident) -> dict[str, Any]:
    """All that is known of an incident: also how things stood, what its units left, and what happened."""
    return summary(value) | {
        "missed": list(value.missed),
        "surroundings": None if value.surroundings is None else surroundings(value.surroundings),
        "runs": [run(each) for each in value.runs],
        "events": [event(each) for each in value.events],
    }


def change(value: Change) -> dict[str, Any]:
    """Something that changed before. `own`: it concerns a unit of the incident itself."""
    return {"at": value.at, "kind": value.kind, "what": value.what, "text": value.text, "own": value.own}


def surroundings(value: Surroundings) -> dict[str, Any]:
    """How host and component stood. Null where something could not be read."""
    return {
        "memory_total": value.memory_total,
        "memory_available": value.memory_available,
        "load": value.load,
        "pressure": dict(value.pressure),
        "score": value.score,
        "trend": value.trend or None,
        "values": dict(value.values),
        "seconds_to_critical": value.seconds_to_critical,
        "beside": list(value.beside),
    }


def run(value: Run) -> dict[str, Any]:
    """A run of a unit that failed, or that healing ended."""
    return {
        "unit": value.unit,
        "invocation": value.invocation,
        "at": value.at,
        "text": value.text,
        "result": value.result,
        "code": value.code,
        "exit_status": value.exit_status,
        "memory": value.memory,
        "tasks": value.tasks,
        "lines": [{"at": line.at, "source": line.source, "text": line.text} for line in value.lines],
        "core": None if value.core is None else core(value.core),
    }


def core(value: CoreDump) -> dict[str, Any]:
    """What was kept of a process that dumped core."""
    return {
        "at": value.at,
        "pid": value.pid,
        "signal": value.signal,
        "program": value.program,
        "file": value.file,
    }
