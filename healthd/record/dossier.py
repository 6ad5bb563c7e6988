"""An incident as a row of the database, and back: what people look for by itself, all else as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, Final

from healthd.evidence import Change, ChangeKind, CoreDump, Incident, Line, Run, Surroundings
from healthd.model import Severity
from healthd.record.words import counted, span
from healthd.utf8 import utf8

if TYPE_CHECKING:
    from collections.abc import Sequence

    Row = tuple[int, float, float | None, str, str, str, str, str]

COLUMNS: Final = "id, opened_at, ended_at, severity, title, result, changed, data"

_OWN: Final = frozenset({"id", "opened_at", "ended_at", "severity", "title", "result", "events"})
_DATA: Final = tuple(field.name for field in fields(Incident) if field.name not in _OWN)


def row(incident: Incident) -> Row:
    """The values of `COLUMNS`."""
    whole = asdict(incident)
    data = json.dumps({name: whole[name] for name in _DATA}, separators=(",", ":"), ensure_ascii=False)
    return (
        incident.id,
        incident.opened_at,
        incident.ended_at,
        str(incident.severity),
        utf8(incident.title),
        utf8(incident.result),
        utf8(headline(incident.changes, incident.opened_at)),
        utf8(data),
    )


def incident_of(values: Sequence[Any]) -> Incident:
    """What `row` wrote. Raises ValueError, TypeError or KeyError on anything else."""
    number, opened_at, ended_at, severity, title, result, _, data = values
    plain = json.loads(data)
    return Incident(
        id=number,
        opened_at=opened_at,
        ended_at=ended_at,
        severity=Severity(severity),
        title=title,
        result=result,
        **{
            **{name: plain[name] for name in _DATA if name in plain},
            "issues": tuple(plain["issues"]),
            "units": tuple(plain["units"]),
            "missed": tuple(plain["missed"]),
            "surroundings": _surroundings(plain["surroundings"]),
            "runs": tuple(map(_run, plain["runs"])),
            "changes": tuple(Change(**{**each, "kind": ChangeKind(each["kind"])}) for each in plain["changes"]),
        },
    )


def headline(changes: Sequence[Change], opened_at: float) -> str:
    """What changed before, in a line; "" for nothing. `changes` as in the incident: what is nearest comes first."""
    if not changes:
        return ""
    first, more = changes[0], len(changes) - 1
    ago = span(max(0.0, opened_at - first.at))
    others = f", and {counted(more, 'more change')} within the hour" if more else ""
    return f"{first.what} {first.text} {ago} before{others}"


def _surroundings(plain: dict[str, Any] | None) -> Surroundings | None:
    return None if plain is None else Surroundings(**{**plain, "beside": tuple(plain["beside"])})


def _run(plain: dict[str, Any]) -> Run:
    core = plain["core"]
    lines = tuple(Line(**each) for each in plain["lines"])
    return Run(**{**plain, "lines": lines, "core": None if core is None else CoreDump(**core)})
