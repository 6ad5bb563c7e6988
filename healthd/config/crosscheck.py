"""What is wrong between values that are each right: contradictions, and references to what is not there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from healthd.config.components import EXEC_INTERVAL_MIN, TYPES
from healthd.config.forms import RUN_UNIT, nearest
from healthd.config.kinds import plain, shown
from healthd.config.patterns import PROTECTED, permitted, protected
from healthd.config.schema import SECTIONS
from healthd.config.secret import hide
from healthd.config.settings import Heal
from healthd.model import HoldReason

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from healthd.config.lines import KeyPath
    from healthd.config.merge import Node
    from healthd.config.report import Report
    from healthd.config.settings import ComponentSettings, Declaration, Settings

_PROTECT: Final = ("auto_healing", "protect")
_WARNING: Final = re.compile(r"(.*_)warning(_[a-z]+)?")


def check(root: Node, settings: Settings, report: Report) -> None:
    """Tell every contradiction and every dangling reference of a complete tree."""
    _check_limits(root, ("thresholds",), settings.thresholds, report)
    _check_healing(root, settings, report)
    _check_protect(root, report)
    _check_run_units(root, settings, report)
    _check_http(root, settings, report)
    _check_alerting(root, settings, report)
    _check_weights(root, report)
    _check_dependencies(root, settings.component, report)
    for name, component in settings.component.items():
        _check_component(root, name, component, report)


def _later(root: Node, *paths: KeyPath) -> Node | None:
    """Of these keys the one that stands last: what an operator wrote against the other. None if none is said."""
    nodes = [node for path in paths if (node := root.at(path)) is not None]
    return max(nodes, key=lambda node: (node.fragment.order, node.nearest(())[1] or 0), default=None)


def _compare(root: Node, report: Report, small: tuple[KeyPath, float], large: tuple[KeyPath, float]) -> None:
    """Tell it if the first is larger than the second."""
    (small_path, small_value), (large_path, large_value) = small, large
    if small_value <= large_value or report.told(small_path) or report.told(large_path):
        return
    node = _later(root, small_path, large_path)
    if node is None:
        return
    small_key, large_key = str(small_path[-1]), str(large_path[-1])
    if node.path == small_path:
        report.add(
            node, f"found {plain(small_value)}", f"allowed is at most {large_key}, which is {plain(large_value)}"
        )
    else:
        report.add(
            node, f"found {plain(large_value)}", f"allowed is at least {small_key}, which is {plain(small_value)}"
        )


def _check_limits(root: Node, table: KeyPath, values: Mapping[str, float], report: Report) -> None:
    """No warning beyond its critical."""
    for name, value in values.items():
        pair = _WARNING.fullmatch(name)
        critical = f"{pair[1]}critical{pair[2] or ''}" if pair else ""
        if critical in values:
            _compare(root, report, ((*table, name), value), ((*table, critical), values[critical]))


def _check_healing(root: Node, settings: Settings, report: Report) -> None:
    healing = settings.auto_healing
    table = "auto_healing"
    _compare(
        root,
        report,
        ((table, "settle_seconds"), healing.settle_seconds),
        ((table, "verify_seconds"), healing.verify_seconds),
    )
    if healing.backoff_max_seconds:  # 0 is no bound
        _compare(
            root,
            report,
            ((table, "backoff_seconds"), healing.backoff_seconds),
            ((table, "backoff_max_seconds"), healing.backoff_max_seconds),
        )


def _texts(node: Node | None) -> list[tuple[int, str]]:
    """The texts of an array with their places, whatever else is wrong with it."""
    raw = node.raw if node is not None else None
    return [(index, one) for index, one in enumerate(raw) if isinstance(one, str)] if isinstance(raw, list) else []


def _check_protect(root: Node, report: Report) -> None:
    node = root.at(_PROTECT)
    if node is None:
        return
    said = _texts(node)
    entries = (*PROTECTED, *(entry for _, entry in said if not entry.startswith("!")))
    for index, entry in said:
        if entry.startswith("!") and entry[1:] not in entries:
            near = nearest(entry[1:].removesuffix(".service"), entries).replace('"', '"!', 1)
            words = near.removeprefix("; ") or f"entries are {', '.join(PROTECTED)}"
            report.add(node, f'"{entry}" takes nothing out', words, sub=(index,))


def _check_run_units(root: Node, settings: Settings, report: Report) -> None:
    """`run_unit:` starts a unit whatever `allow` says, so it must not be a way around the protected list."""
    if report.told(_PROTECT):
        return
    for name in settings.services.unit:
        node = root.at(("services", name, "actions"))
        for index, action in _texts(node):
            unit = action.removeprefix(RUN_UNIT)
            if node is not None and unit != action and protected(settings.auto_healing.protect, unit):
                report.add(node, f"{unit} is protected", "name a oneshot unit of your own", sub=(index,))


def _check_http(root: Node, settings: Settings, report: Report) -> None:
    http = settings.http
    for one, other in (
        ("tls_certificate", "tls_key"),
        ("tls_key", "tls_certificate"),
        ("tls_client_ca", "tls_certificate"),
    ):
        node = root.at(("http", one))
        if node is not None and getattr(http, one) and not getattr(http, other):
            report.add(node, f"set without {other}", f"set {other} as well, or neither")


def _check_alerting(root: Node, settings: Settings, report: Report) -> None:
    """Mail takes a mail server."""
    node = root.at(("alerting", "smtp_url"))
    if node is not None and settings.alerting.email_notifications and not settings.alerting.smtp_url:
        words = 'name the mail server, such as "smtp://localhost:25", or leave it out'
        report.add(node, 'found "" though email_notifications says who gets mail', words)


def _check_weights(root: Node, report: Report) -> None:
    """The component `services` has two places for its weight."""
    one, other = root.at(("services", "weight")), root.at(("component", "services", "weight"))
    if one is not None and other is not None and one.raw != other.raw:
        words = f"[services] says {shown(one.raw)}; leave one of them out"
        report.add(other, "two weights for the component services", words)


def _check_dependencies(root: Node, components: Mapping[str, ComponentSettings], report: Report) -> None:
    for name in components:
        node = root.at(("component", name, "depends_on"))
        for index, other in _texts(node):
            if node is None:
                continue
            if other not in components:
                words = nearest(other, tuple(components)) or f"components are {', '.join(components)}"
                report.add(node, f"there is no component {shown(other)}", words.removeprefix("; "), sub=(index,))
            elif name in _needed(other, components):
                words = "itself" if other == name else f'"{other}", which depends on it'
                report.add(node, f"{name} depends on {words}", "no component may depend on itself", sub=(index,))


def _needed(start: str, components: Mapping[str, ComponentSettings]) -> set[str]:
    """The component and all that it depends on."""
    seen: set[str] = set()
    left = [start]
    while left:
        name = left.pop()
        if name in seen or name not in components:
            continue
        seen.add(name)
        left += components[name].depends_on
    return seen


def _check_component(root: Node, name: str, component: ComponentSettings, report: Report) -> None:
    table = ("component", name)
    node = root.at(table)
    if node is None or node.children is None:
        return
    if component.type == "exec":
        _check_exec(node, component, report)
    elif component.type == "certificate":
        _check_certificate(root, node, component, report)
    elif component.type == "metrics":
        _check_metrics(node, component, report)
    elif component.type == "unit":
        if "unit" not in node.children:
            report.add(node, "key unit is missing", "allowed is the name of the unit to look at")
        _check_limits(root, table, component.options, report)


def _check_exec(node: Node, component: ComponentSettings, report: Report) -> None:
    said = node.at(("interval_seconds",))
    if said is not None and component.interval_seconds < EXEC_INTERVAL_MIN:
        words = f"allowed is at least {plain(EXEC_INTERVAL_MIN)} for type exec"
        report.add(said, f"found {plain(component.interval_seconds)}", words)


def _check_certificate(root: Node, node: Node, component: ComponentSettings, report: Report) -> None:
    options = component.options
    if (node.at(("path",)) is None) == (node.at(("address",)) is None):
        report.add(node, "it must say path or address", "set one of the two")
    _compare(
        root,
        report,
        ((*node.path, "critical_days"), options["critical_days"]),
        ((*node.path, "warning_days"), options["warning_days"]),
    )


def _check_metrics(node: Node, component: ComponentSettings, report: Report) -> None:
    known = _names(node.at(("values",)))
    for sub in _used_values(node) if known else ():
        name = str(sub[-1])
        if name not in known:
            words = nearest(name, known) or f"values are {', '.join(known)}"
            report.add(node, f'there is no value "{name}"', words.removeprefix("; "), sub=sub)
    for name, limit in component.options["warning"].items():
        worse = component.options["critical"].get(name)
        if worse is not None and limit > worse:
            words = f"allowed is at most critical, which is {plain(worse)}"
            report.add(node, f"found {plain(limit)}", words, sub=("warning", name))


def _used_values(node: Node) -> Iterator[KeyPath]:
    """Where a component of type metrics names a value."""
    for key in ("warning", "critical"):
        yield from ((key, name) for name in _names(node.at((key,))))
    score = node.at(("score",))
    rows = score.raw if score is not None and isinstance(score.raw, list) else []
    for index, row in enumerate(rows):
        when = row.get("when") if isinstance(row, dict) else None
        yield from (("score", index, "when", name) for name in (when if isinstance(when, dict) else ()))


def _names(node: Node | None) -> tuple[str, ...]:
    return tuple(node.children or ()) if node is not None else ()


def warn(root: Node, settings: Settings, report: Report) -> None:
    """Tell what is not wrong but ought to be changed."""
    for name, unit in settings.services.unit.items():
        node = root.at(("services", name, "heal"))
        reason = permitted(settings, name)
        if node is not None and unit.heal is Heal.ON and reason is not None:
            words = "protected" if reason is HoldReason.PROTECTED else "not in [auto_healing] allow"
            report.add(node, "it will not be healed", f"the unit is {words}")
    for node, declaration in _declared(root, settings):
        raw = node.plain()
        if node.fragment.public and hide(raw, secret=declaration.secret) != raw:
            report.add(node, "a secret in a file that everybody may read", f"chmod 0640 {node.fragment.file}")


def _declared(root: Node, settings: Settings) -> Iterator[tuple[Node, Declaration]]:
    """The keys that may hold a secret."""
    for name, declaration in SECTIONS["alerting"].keys.items():
        if (node := root.at(("alerting", name))) is not None:
            yield node, declaration
    for name, component in settings.component.items():
        for key, declaration in TYPES[component.type].items():
            if (node := root.at(("component", name, key))) is not None:
                yield node, declaration
