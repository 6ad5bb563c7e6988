"""What the engine was given in a step, as JSON data and back: what is new against the step before."""

from __future__ import annotations

from dataclasses import asdict, fields, replace
from typing import TYPE_CHECKING, Any, Final

from healthd.decide.happenings import Order, Silencing, Unsilencing
from healthd.decide.silence import Silence, Window
from healthd.detail import UnitDetail
from healthd.model import ActionKind, Finding, IssueType, Item, Status, UnitFacts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from healthd.decide.case import Moment

    Given = Order | Silencing | Unsilencing

_MESSAGE: Final = 200
_ALONE: Final = frozenset({"changed_at"})
"""That nothing but this is new about a unit is no news."""

_TIMES: Final = frozenset({"changed_at", "active_since"})
_DETAIL: Final = UnitDetail(
    service_type="", restart="", remain_after_exit=False, triggered=False, required_by_enabled=False, can_reload=False
)
_FACTS: Final = tuple(field.name for field in fields(UnitFacts) if field.name != "name")
_SETS: Final = ("usable", "unhealthy", "configured")


def facts_plain(before: UnitFacts | None, unit: UnitFacts) -> dict[str, Any] | None:
    """What is new about a unit; None if that is nothing. `before`: as it was last kept, None: never."""
    base = UnitFacts(name=unit.name) if before is None else before
    new = {name for name in _FACTS if getattr(unit, name) != getattr(base, name)}
    if before is not None and new <= _ALONE:
        return None
    return {name: _fact(name, getattr(unit, name)) for name in _FACTS if name in new}


def _fact(name: str, value: Any) -> Any:
    if name in _TIMES:
        return round(value, 3)
    if name == "auto_restarts":
        return [round(at, 3) for at in value]
    if name == "detail" and value is not None:
        return {key: each for key, each in asdict(value).items() if each != getattr(_DETAIL, key)}
    return value


def facts_of(before: UnitFacts | None, name: str, data: Mapping[str, Any]) -> UnitFacts:
    """The unit after what `facts_plain` gave."""
    base = UnitFacts(name=name) if before is None else before
    known = {key: value for key, value in data.items() if key in _FACTS}
    if "auto_restarts" in known:
        known["auto_restarts"] = tuple(known["auto_restarts"])
    if known.get("detail") is not None:
        known["detail"] = _detail_of(known["detail"])
    return replace(base, **known)


def _detail_of(data: Mapping[str, Any]) -> UnitDetail:
    known = {field.name for field in fields(UnitDetail)} & data.keys()
    values: dict[str, Any] = {key: tuple(data[key]) if isinstance(data[key], list) else data[key] for key in known}
    return replace(_DETAIL, **values)


Signature = tuple[object, ...]


def signature(item: Item) -> Signature:
    """What of an item a decision may rest on; words and scores are not among it."""
    found = tuple((each.type, each.unit, each.cause, each.critical) for each in item.findings)
    return item.status is Status.UNKNOWN, item.settled, item.stopped, item.critical, item.unit, found


def item_plain(item: Item) -> dict[str, Any]:
    """An item without its measures, which history has."""
    data: dict[str, Any] = {"status": item.status, "score": round(item.score, 4), "message": item.message[:_MESSAGE]}
    if item.findings:
        data["findings"] = [
            [each.type, each.message[:_MESSAGE], each.unit, each.cause, each.critical] for each in item.findings
        ]
    flags = {"settled": item.settled, "stopped": item.stopped, "critical": item.critical, "unit": item.unit}
    return data | {key: value for key, value in flags.items() if value is not (key == "settled") and value is not None}


def item_of(name: str, data: Mapping[str, Any]) -> Item:
    """The item that `item_plain` wrote."""
    findings = tuple(
        Finding(type=IssueType(type_), message=message, unit=unit, cause=cause, critical=critical)
        for type_, message, unit, cause, critical in data.get("findings", ())
    )
    return Item(
        name=name,
        status=Status(data["status"]),
        score=float(data["score"]),
        message=data["message"],
        findings=findings,
        settled=data.get("settled", True),
        stopped=data.get("stopped", False),
        critical=data.get("critical", False),
        unit=data.get("unit"),
    )


def moment_plain(moment: Moment) -> dict[str, Any]:
    """The facts of an instant beside units, items and times."""
    sets = {name: None if (held := getattr(moment, name)) is None else sorted(held) for name in _SETS}
    windows = [[spec, length, window and list(window)] for (spec, length), window in moment.windows.items()]
    return {
        "system": moment.system.value,
        "current": moment.current,
        **sets,
        "left_out": dict(moment.left_out),
        "package_work": moment.package_work,
        "windows": windows,
    }


def windows_of(data: Iterable[Any]) -> dict[tuple[str, float], Window | None]:
    """The windows that `moment_plain` wrote."""
    return {(spec, length): Window(*window) if window else None for spec, length, window in data}


def order_plain(order: Given) -> dict[str, Any]:
    """An operator's order."""
    match order:
        case Silencing(silence=silence):
            return {"silence": silence.to_plain()}
        case Unsilencing(ids=ids, by=by):
            return {"resume": sorted(ids), "by": by}
        case Order():
            return {"heal": [order.component, order.item, order.action], "by": order.by}


def order_of(data: Mapping[str, Any]) -> Given:
    """The order that `order_plain` wrote."""
    if "silence" in data:
        return Silencing(silence=Silence.from_plain(data["silence"]))
    if "resume" in data:
        return Unsilencing(ids=frozenset(data["resume"]), by=data["by"])
    component, item, action = data["heal"]
    return Order(component=component, item=item, action=ActionKind(action) if action else None, by=data["by"])
