"""The host as the record has it, and beside it as it would have been: the same but for what other decisions changed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from healthd.config import CleanExit, matches
from healthd.decide.case import Moment
from healthd.decide.failure import Cause
from healthd.decide.state import Key
from healthd.model import IssueType, Status, SystemState
from healthd.record.frames import facts_of, item_of, windows_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from healthd.config import Settings
    from healthd.model import Finding, Item, UnitFacts

    Name = tuple[str, str]
    Plain = Mapping[str, Any]

_REST: Final = {"system": "running", "current": True, "usable": (), "unhealthy": (), "configured": None}


def subject_of(name: Name, item: Item | None) -> str:
    """What an item is about: its unit, or the part of the host that it is."""
    if item is not None and item.unit:
        return item.unit
    return Key(*name, IssueType.SERVICE_DOWN).subject


class World:
    """`recorded` and `items`, `recorded_facts` and `facts`: as it was, and as it would have been.

    `anew`: by component, the types of issues that are judged anew under other limits, and `limited` what is found so.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.recorded: dict[Name, Item] = {}
        self.recorded_facts: dict[str, UnitFacts] = {}
        self.items: dict[Name, Item] = {}
        self.facts: dict[str, UnitFacts] = {}
        self.names: dict[str, set[Name]] = {}
        self.limited: dict[Name, tuple[Finding, ...]] = {}
        self.anew: Mapping[str, frozenset[IssueType]] = {}
        self._rest: dict[str, Any] = dict(_REST)
        self._booted_at = 0.0
        self._runs = 0

    # What the record brings

    def feed(self, frame: Plain, is_own: Callable[[str], bool]) -> list[tuple[Name, Item | None, Item | None]]:
        """Take in what is new; returns which items changed, from what to what.

        What belongs to a subject that goes its own way changes in the record only.
        """
        whole = "state" in frame
        if frame.get("first"):
            self._forget(is_own)
        if "booted_for" in frame:
            self._booted_at = frame["now"] - frame["booted_for"]
        self._rest |= frame.get("moment", {})
        for name, data in frame.get("units", {}).items():
            self._feed_unit(name, data, whole=whole)
            if not is_own(name):
                self._copy_unit(name)
        changed = []
        for component, item, data, *_ in frame.get("items", ()):
            name = (component, item)
            before = self.recorded.pop(name, None)
            if data is not None:
                self.recorded[name] = item_of(item, data)
            after = self.recorded.get(name)
            subject = subject_of(name, after or before)
            self.names.setdefault(subject, set()).add(name)
            if not is_own(subject):
                self._copy_item(name)
            changed.append((name, before, after))
        return changed

    def _feed_unit(self, name: str, data: Plain | None, *, whole: bool) -> None:
        if data is None:
            self.recorded_facts.pop(name, None)
        else:
            before = None if whole else self.recorded_facts.get(name)
            self.recorded_facts[name] = facts_of(before, name, data)

    def _forget(self, is_own: Callable[[str], bool]) -> None:
        """After its start healthd knows nothing before it has looked."""
        self.items = {name: item for name, item in self.items.items() if is_own(subject_of(name, item))}
        self.facts = {name: unit for name, unit in self.facts.items() if is_own(name)}
        self.recorded.clear()
        self.recorded_facts.clear()

    def copy(self, subject: str) -> None:
        """The subject is as the record has it."""
        for name in self.names.get(subject, ()):
            self._copy_item(name)
        self._copy_unit(subject)

    def _copy_item(self, name: Name) -> None:
        item = self._judged(name, self.recorded.get(name))
        if item is None:
            self.items.pop(name, None)
        else:
            self.items[name] = item

    def _copy_unit(self, name: str) -> None:
        unit = self.recorded_facts.get(name)
        if unit is None:
            self.facts.pop(name, None)
        else:
            self.facts[name] = unit

    def _judged(self, name: Name, item: Item | None) -> Item | None:
        """The item as these settings have it, as far as they differ in what can be told without looking anew."""
        if item is None:
            return None
        if name[0] in self.anew:
            return self._limited(name, item, self.anew[name[0]])
        if name[0] != "services":
            return item
        if matches(self._settings.services.ignore, name[1]):
            return None
        table = self._settings.unit(name[1])
        findings = item.findings
        if table.clean_exit is CleanExit.OK:
            findings = tuple(each for each in findings if each.cause != Cause.CLEAN_EXIT)
        if table.critical is not item.critical:
            findings = tuple(replace(each, critical=table.critical) for each in findings)
            item = replace(item, critical=table.critical)
        if findings != item.findings:
            item = replace(item, findings=findings)
        return item

    def _limited(self, name: Name, item: Item, anew: frozenset[IssueType]) -> Item:
        findings = (*(each for each in item.findings if each.type not in anew), *self.limited.get(name, ()))
        if not findings and item.findings:
            return replace(item, findings=(), status=Status.HEALTHY, score=1.0)
        return replace(item, findings=findings)

    def judge(self, name: Name, findings: tuple[Finding, ...]) -> None:
        """Under other limits, this is what is found of an item from now on."""
        self.limited[name] = findings
        self._copy_item(name)

    # What would have been

    def is_well(self, subject: str, *, recorded: bool = False) -> bool:
        """Whether nothing is wrong with it, and nothing is between two states."""
        items = self.recorded if recorded else self.items
        mine = [items[name] for name in self.names.get(subject, ()) if name in items]
        return all(item.settled and not item.findings and item.status is not Status.UNKNOWN for item in mine)

    def act(self, subject: str, *, helps: bool) -> bool:
        """An action on it has ended, and helped or not. False: somebody stopped it meanwhile."""
        mine = [self.items[name] for name in self.names.get(subject, ()) if name in self.items]
        if any(item.stopped for item in mine):
            return False
        if helps:
            for name in self.names.get(subject, ()):
                self.limited.pop(name, None)
        if helps and self.is_well(subject, recorded=True):
            self.copy(subject)
        elif helps:
            self._bring_up(subject)
        self._run_anew(subject)
        return True

    def _bring_up(self, subject: str) -> None:
        for name in self.names.get(subject, ()):
            if name in self.items:
                item = self.items[name]
                self.items[name] = replace(
                    item, status=Status.HEALTHY, score=1.0, message="up again", findings=(), settled=True
                )
        unit = self.facts.get(subject)
        if unit is not None:
            once = unit.detail is not None and unit.detail.service_type == "oneshot"
            active, sub = ("inactive", "dead") if once else ("active", "running")
            self.facts[subject] = replace(unit, active=active, sub=sub, result="success", code=int(once), exit_status=0)

    def _run_anew(self, subject: str) -> None:
        unit = self.facts.get(subject)
        if unit is not None:
            self._runs += 1
            run = f"simulated-{self._runs}"
            self.facts[subject] = replace(unit, invocation=run, job=0, own_job=False, dependency_failed=False)

    def moment(self, now: float, wall: float, own: Iterable[str]) -> Moment:
        """The facts of this instant, as they would have been. `own`: the subjects that go their own way."""
        rest = self._rest
        configured = rest["configured"]
        return Moment(
            now=now,
            wall=wall,
            system=SystemState(rest["system"]),
            booted_for=now - self._booted_at,
            current=rest["current"],
            facts=self.facts,
            items=self.items,
            usable=frozenset(rest["usable"]),
            unhealthy=self._unhealthy(own),
            configured=None if configured is None else frozenset(configured),
            left_out=rest.get("left_out", {}),
            package_work=rest.get("package_work", ""),
            windows=windows_of(rest.get("windows", ())),
        )

    def _unhealthy(self, own: Iterable[str]) -> frozenset[str]:
        unhealthy = set(self._rest["unhealthy"])
        for component in {name[0] for subject in own for name in self.names.get(subject, ())} - {"services"}:
            states = [item.status for name, item in self.items.items() if name[0] == component]
            (unhealthy.add if Status.UNHEALTHY in states else unhealthy.discard)(component)
        return frozenset(unhealthy)
