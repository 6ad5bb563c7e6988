"""The settings as tables again: for `healthctl config show` and the API. Plain JSON data, secrets as `***`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from healthd.config.components import COMMON, TYPES
from healthd.config.kinds import Credential
from healthd.config.schema import SECTIONS, UNIT
from healthd.config.secret import hide
from healthd.config.settings import Heal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from healthd.config.settings import ComponentSettings, Declaration, Settings

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_CONTROLS: Final = re.compile(r"[\x7f-\x9f]")  # JSON lets them stand; TOML takes no 7F, and a terminal obeys the rest


def tables(settings: Settings) -> dict[str, Any]:
    """The effective configuration, defaults included, as the tables of the file. What is not said is left out."""
    shown: dict[str, Any] = {}
    for name, section in SECTIONS.items():
        values = getattr(settings, name)
        get = values.get if isinstance(values, Mapping) else lambda key, held=values: getattr(held, key)
        shown[name] = _keys({key: get(key) for key in section.keys}, section.keys)
    # Limits that serve a component by its name are keys that no table knows.
    shown["thresholds"] |= {key: plain_data(value) for key, value in settings.thresholds.items()}
    for name, unit in settings.services.unit.items():
        values = {key: getattr(unit, key) for key in UNIT}
        shown["services"][name] = _keys({key: value for key, value in values.items() if value != ()}, UNIT)
    shown["component"] = {name: _component(one) for name, one in settings.component.items()}
    return shown


def _component(component: ComponentSettings) -> dict[str, Any]:
    options = TYPES.get(component.type, {})
    common = _keys({key: getattr(component, key) for key in COMMON}, COMMON)
    # `critical` of type metrics is a table of limits, unless it is true as for any other component.
    special = {key: component.options.get(key) for key in options if not (key in COMMON and common[key])}
    return common | _keys(special, options)


def _keys(values: Mapping[str, Any], declarations: Mapping[str, Declaration]) -> dict[str, Any]:
    return {
        key: hide(plain_data(value), secret=declarations[key].secret)
        for key, value in values.items()
        if value is not None
    }


def plain_data(value: Any) -> Any:
    """A value of the settings as JSON and TOML have it."""
    match value:
        case Credential():
            return {"credential": value.name}
        case Heal():
            return value.value if value is Heal.SUGGEST else value is Heal.ON
        case str():
            return str(value)
        case float() if value.is_integer():
            return int(value)
        case tuple():
            return [plain_data(one) for one in value]
        case Mapping():
            return {name: plain_data(one) for name, one in value.items() if one is not None}
        case _:
            return value


def toml_value(value: Any) -> str:
    """Plain data as TOML writes it on one line."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return _CONTROLS.sub(_escaped, json.dumps(value, ensure_ascii=False))
        case Mapping():
            inner = ", ".join(f"{toml_key(name)} = {toml_value(one)}" for name, one in value.items())
            return f"{{ {inner} }}" if inner else "{}"
        case list():
            return f"[{', '.join(map(toml_value, value))}]"
        case _:
            return repr(value)


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


def toml_key(name: str) -> str:
    """A name as a key of TOML."""
    return name if _BARE.fullmatch(name) else toml_value(name)


def text(shown: Mapping[str, Any]) -> str:
    """What `tables` gave as a file of TOML: it would be read as the same settings, but for the secrets."""
    return "\n".join(_lines(shown))


def _lines(shown: Mapping[str, Any]) -> Iterator[str]:
    for name, table in shown.items():
        inner = {
            key: value for key, value in table.items() if name in {"services", "component"} and isinstance(value, dict)
        }
        if name != "component":
            yield f"[{toml_key(name)}]"
            yield from _pairs({key: value for key, value in table.items() if key not in inner})
            yield ""
        for key, value in inner.items():
            yield f"[{toml_key(name)}.{toml_key(key)}]"
            yield from _pairs(value)
            yield ""


def _pairs(table: Mapping[str, Any]) -> Iterator[str]:
    for key, value in table.items():
        yield f"{toml_key(key)} = {toml_value(value)}"
