"""Whether healthd was right about a scene, by what it wrote to the journal. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bench.accuracy.scene import Scene

    Record = Mapping[str, str]

MARK: Final = "ACCURACY_SCENE"
"""The field of the records by which a scene says that it happens now."""

_NAMED: Final = ("HEALTHD_COMPONENT", "HEALTHD_ITEM", "HEALTHD_UNIT")


class Found(StrEnum):
    """How a judgement turned out."""

    RIGHT = "right"
    FALSE_POSITIVE = "false positive"
    MISSED = "missed"
    WRONG_REMEDY = "wrong remedy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Of one scene. `healed`: something was done about it. `seconds` from the happening to the issue that was due."""

    scene: Scene
    found: Found
    text: str = ""
    healed: bool = False
    seconds: float | None = None


def own(scene: Scene, records: Iterable[Record]) -> list[Record]:
    """What healthd and the scene itself said of it, in order; and that of the host as a whole which must follow."""
    return [
        record
        for record in records
        if record.get(MARK) == scene.name
        or any(scene.has(record.get(field, "")) for field in _NAMED)
        or (record.get("HEALTHD_EVENT") == scene.label.then and not any(field in record for field in _NAMED))
    ]


def judge(scene: Scene, records: Sequence[Record]) -> Judgement:
    """`records` are those of the scene alone."""
    opened = _of(records, "issue_opened")
    done = [f"{each['HEALTHD_ACTION']} {each['HEALTHD_UNIT']}" for each in _of(records, "healing_started")]
    label = scene.label
    due = [each for each in opened if _is(each, label.issue, label.component)]
    strange = [each for each in opened if each not in due and each["HEALTHD_ISSUE"] not in label.also]
    found, text = Found.RIGHT, ""
    if label.issue and not due:
        found, text = Found.MISSED, f"no {label.issue} of {label.component}"
    elif strange:
        found, text = Found.FALSE_POSITIVE, f"{_words(strange[0])} was opened"
    elif set(done) != set(label.actions):
        found = Found.WRONG_REMEDY if label.issue else Found.FALSE_POSITIVE
        text = f"done: {_all(done)}, due: {_all(label.actions)}"
    elif lacking := _lacking(scene, records):
        found, text = Found.WRONG_REMEDY, lacking
    seconds = _since_mark(due[0], records) if due else None
    seen = "; ".join(map(_words, records))
    return Judgement(
        scene=scene,
        found=found,
        text=f"{text} (seen: {seen or 'nothing'})" if text else "",
        healed=bool(done),
        seconds=seconds,
    )


def _lacking(scene: Scene, records: Sequence[Record]) -> str:
    """What should have followed and did not: success of what was done, or the reason for doing nothing."""
    label = scene.label
    reasons = {each.get("HEALTHD_REASON") for each in _of(records, "healing_held")}
    if label.hold and label.hold not in reasons:
        return f"no hold for {label.hold}"
    if label.then:
        return "" if _of(records, label.then) else f"no {label.then}"
    if not label.actions:
        return ""
    succeeded = {
        f"{each.get('HEALTHD_ACTION')} {each.get('HEALTHD_UNIT')}"
        for each in _of(records, "healing_finished")
        if each.get("HEALTHD_OUTCOME") == "success"
    }
    if not set(label.actions) <= succeeded:
        return f"no success of {_all(sorted(set(label.actions) - succeeded))}"
    return "" if _of(records, "issue_resolved") else "no issue_resolved"


def strays(scenes: Sequence[Scene], records: Iterable[Record], *, around: frozenset[str]) -> list[str]:
    """Issues and actions that are no scene's, but for those of components that see what is `around` the host."""
    return [
        _words(each)
        for each in records
        if each.get("HEALTHD_EVENT") in {"issue_opened", "healing_started"}
        and each.get("HEALTHD_COMPONENT") not in around
        and not any(scene.has(each.get(field, "")) for scene in scenes for field in _NAMED)
    ]


def _of(records: Iterable[Record], event: str) -> list[Record]:
    return [each for each in records if each.get("HEALTHD_EVENT") == event]


def _is(record: Record, issue: str, component: str) -> bool:
    return bool(issue) and (record.get("HEALTHD_ISSUE"), record.get("HEALTHD_COMPONENT")) == (issue, component)


def _since_mark(opened: Record, records: Sequence[Record]) -> float | None:
    """Seconds since the scene last said that it happens now."""
    at = _at(opened)
    marks = [_at(each) for each in records if MARK in each and _at(each) <= at]
    return at - marks[-1] if marks else None


def _at(record: Record) -> float:
    return int(record["__MONOTONIC_TIMESTAMP"]) / 1e6


def _words(record: Record) -> str:
    if MARK in record:
        return "it happened"
    names = ("HEALTHD_EVENT", "HEALTHD_ISSUE", "HEALTHD_ACTION", "HEALTHD_OUTCOME", "HEALTHD_REASON", "HEALTHD_STATUS")
    about = record.get("HEALTHD_UNIT") or record.get("HEALTHD_ITEM") or record.get("HEALTHD_COMPONENT", "")
    return " ".join([*(record[name] for name in names if name in record), about])


def _all(names: Sequence[str]) -> str:
    return ", ".join(names) or "nothing"
