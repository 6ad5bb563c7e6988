"""From the merged tree to the settings: every value against its declaration, every table against the schema."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from healthd.config.components import BUILT_IN, CERTAIN, COMMON, EXEC_INTERVAL_MIN, FAILURES, TYPES, WEIGHT
from healthd.config.forms import ComponentName, is_component_name, unit_hint
from healthd.config.kinds import MANY_MAX, shown
from healthd.config.patterns import UNIT_TYPES, is_unit_name
from healthd.config.reading import Reader
from healthd.config.schema import ERROR_LIMIT, ERRORS, SECTIONS, TABLES, THRESHOLDS, UNIT, home_of
from healthd.config.settings import (
    AlertingSettings,
    AutoHealingSettings,
    ComponentSettings,
    Declaration,
    HealthSettings,
    HttpSettings,
    ServicesSettings,
    Settings,
    UnitSettings,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from healthd.config.merge import Node
    from healthd.config.report import Report


def settings(root: Node | None, report: Report, *, complete: bool = True) -> Settings:
    """The settings that a tree means. What is wrong goes to `report`; wrong values then read as their defaults.

    `complete` False: some file could not be read, so that what is missing may stand in it.
    """
    reader = Reader(report, complete=complete)
    if root is not None and root.children is not None:
        _check_tables(root.children, reader)

    def section(name: str) -> dict[str, Any]:
        return reader.values(reader.table(root, name), SECTIONS[name].keys, f"[{name}]")

    health = HealthSettings(**section("health"))
    services = _services(reader.table(root, "services"), reader)
    components = _components(reader.table(root, "component"), reader, health, services)
    return Settings(
        health=health,
        thresholds=_thresholds(reader.table(root, "thresholds"), reader, components),
        auto_healing=AutoHealingSettings(**section("auto_healing")),
        # [component.services] may say the weight as well.
        services=replace(services, weight=components["services"].weight),
        component=components,
        http=HttpSettings(**section("http")),
        alerting=AlertingSettings(**section("alerting")),
    )


def _check_tables(tables: Mapping[str, Node], reader: Reader) -> None:
    for name, node in tables.items():
        if name in TABLES:
            continue
        home = home_of(name)
        hint = f"; it belongs in [{home}]" if home is not None else reader.hint(name, TABLES)
        found = "unknown table" if node.children is not None else "unknown key"
        reader.tell(node, found, hint.removeprefix("; ") or f"tables are {', '.join(TABLES)}")


def _thresholds(
    entries: Mapping[str, Node], reader: Reader, components: Mapping[str, ComponentSettings]
) -> Mapping[str, float | int]:
    keys = dict(THRESHOLDS)
    for name in entries:
        served = ERROR_LIMIT.fullmatch(name)
        if served is not None and (served[1] in components or not reader.complete):
            keys.setdefault(name, Declaration(kind=ERRORS))
    defaults = {name: key.default for name, key in THRESHOLDS.items() if key.default is not None}
    return MappingProxyType(defaults | reader.values(entries, keys, "[thresholds]"))


def _services(entries: Mapping[str, Node], reader: Reader) -> ServicesSettings:
    keys = SECTIONS["services"].keys
    units: dict[str, UnitSettings] = {}
    own: dict[str, Node] = {}
    for name, node in entries.items():
        if name in keys or node.children is None:
            own[name] = node
        elif is_unit_name(name):
            units[name] = UnitSettings(**reader.values(reader.entries(node), UNIT, f'[services."{name}"]'))
        else:
            reader.tell(node, f"found a table named {shown(name)}", _unit_words(name, node))
    return ServicesSettings(**reader.values(own, keys, "[services]"), unit=MappingProxyType(units))


def _unit_words(name: str, node: Node) -> str:
    inner = next(iter(node.children or {}), "")
    if inner in UNIT_TYPES:
        return f'a unit\'s name has quotes around it: [services."{name}.{inner}"]'
    return f'allowed is the name of a unit in quotes, [services."nginx.service"]{unit_hint(name)}'


def _components(
    entries: Mapping[str, Node], reader: Reader, health: HealthSettings, services: ServicesSettings
) -> Mapping[str, ComponentSettings]:
    found: dict[str, ComponentSettings] = {}
    if len(entries) > MANY_MAX:
        first_beyond = list(entries.values())[MANY_MAX]
        reader.tell(first_beyond, f"found {len(entries)} components", f"allowed are {MANY_MAX}")
        entries = {}
    for name in dict.fromkeys((*BUILT_IN, *entries)):
        node = entries.get(name)
        if node is not None and not is_component_name(name):
            reader.tell(node, f"found a table named {shown(name)}", f"allowed is {ComponentName().allowed}")
            continue
        said = reader.entries(node) if node is not None else {}
        type_name = _type(name, said)
        if node is not None and node.children is not None:
            _check_keys(name, type_name, node, reader)
        found[name] = _component(name, type_name, said, reader, _defaults(name, type_name, health, services))
    return MappingProxyType(found)


def _type(name: str, said: Mapping[str, Node]) -> str:
    """The type of a component; "" if it is not known."""
    if "type" not in said:
        return name if name in BUILT_IN else ""
    raw = said["type"].raw
    return raw if isinstance(raw, str) and raw in TYPES else ""


def _check_keys(name: str, type_name: str, node: Node, reader: Reader) -> None:
    """Tell the keys that are missing."""
    said = node.children or {}
    if not reader.complete:
        return
    if not type_name and "type" not in said:
        kind = COMMON["type"].kind
        reader.tell(node, "key type is missing", f"allowed is {kind.allowed}{reader.hint(name, BUILT_IN)}")
    for key, declaration in TYPES.get(type_name, {}).items():
        if declaration.required and key not in said:
            reader.tell(node, f"key {key} is missing", f"allowed is {declaration.kind.allowed}")


def _component(
    name: str, type_name: str, said: Mapping[str, Node], reader: Reader, defaults: Mapping[str, Any]
) -> ComponentSettings:
    options = TYPES.get(type_name, {})
    mine: dict[str, Node] = {}
    for key, node in said.items():
        others = [other for other, keys in TYPES.items() if key in keys]
        if key in COMMON or key in options or not others:
            mine[key] = node
        elif type_name:
            reader.tell(node, "unknown key", f"it is a key of type {' and '.join(others)}, this is of type {type_name}")
    values = reader.values(mine, {**COMMON, **options}, f"[component.{name}]")
    special = {key: declaration.default for key, declaration in options.items() if declaration.default is not None}
    common: dict[str, Any] = {}
    for key, value in values.items():
        # `critical` of type metrics is a table of limits, or true as everywhere.
        if key in options and not (key in COMMON and isinstance(value, bool)):
            special[key] = value
        elif key != "type":
            common[key] = value
    return ComponentSettings(type=type_name, options=MappingProxyType(special), **{**defaults, **common})


def _defaults(name: str, type_name: str, health: HealthSettings, services: ServicesSettings) -> dict[str, Any]:
    """What holds for a component that says nothing."""
    values: dict[str, Any] = {
        "weight": services.weight if name == "services" else BUILT_IN.get(name, WEIGHT),
        "interval_seconds": health.check_interval_seconds,
        "timeout_seconds": health.health_timeout_seconds,
    }
    if type_name == "exec":
        values["interval_seconds"] = max(health.check_interval_seconds, EXEC_INTERVAL_MIN)
    if type_name in CERTAIN:
        values |= {"failures": 1, "successes": 1}
    elif type_name in FAILURES:
        values["failures"] = FAILURES[type_name]
    return values
