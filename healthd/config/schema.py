"""The table of the whole configuration, section by section: what validation, sample, manual and `config show` walk."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from healthd.config.components import BUILT_IN, COMMON, TYPES
from healthd.config.kinds import Count, Kind, Number
from healthd.config.settings import (
    DECLARATION,
    AlertingSettings,
    AutoHealingSettings,
    Declaration,
    HealthSettings,
    HttpSettings,
    ServicesSettings,
    UnitSettings,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

ERROR_LIMIT: Final = re.compile(r"(.+)_error_(?:warning|critical)")
"""Keys of [thresholds] that serve the component whose name they begin with."""


def keys_of(declaring: type[Any]) -> Mapping[str, Declaration]:
    """The keys that a dataclass of settings declares."""
    return MappingProxyType(
        {one.name: one.metadata[DECLARATION] for one in fields(declaring) if DECLARATION in one.metadata}
    )


def _threshold(kind: Kind, default: float | None, text: str, example: str = "") -> Declaration:
    return Declaration(kind=kind, default=default, help=text, example=example)


_GB: Final = Number(0, 1_000_000)
_PERCENT: Final = Number(0, 100)
ERRORS: Final = Count()

THRESHOLDS: Final[Mapping[str, Declaration]] = {
    "memory_warning_gb": _threshold(_GB, None, "used memory of the host; beats percent", "2.0"),
    "memory_critical_gb": _threshold(_GB, None, "likewise", "4.0"),
    "memory_warning_percent": _threshold(_PERCENT, 85.0, "used memory of the host"),
    "memory_critical_percent": _threshold(_PERCENT, 95.0, "likewise"),
    "storage_warning_percent": _threshold(_PERCENT, 85.0, "space and inodes of each local writable mount, tmpfs too"),
    "storage_critical_percent": _threshold(_PERCENT, 95.0, "likewise"),
    "network_error_warning": _threshold(ERRORS, 5, "interface errors and drops in one interval"),
    "network_error_critical": _threshold(ERRORS, 20, "likewise"),
    "consensus_error_warning": _threshold(
        ERRORS, 3, "errors of the component consensus; any NAME_error_warning serves NAME"
    ),
    "consensus_error_critical": _threshold(ERRORS, 10, "likewise, NAME_error_critical"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A table of the configuration: its heading as TOML has it, what it is for, and its keys."""

    heading: str
    about: str
    keys: Mapping[str, Declaration]


SECTIONS: Final[Mapping[str, Section]] = {
    "health": Section(
        heading="health", about="The round of checks and the host's health.", keys=keys_of(HealthSettings)
    ),
    "thresholds": Section(heading="thresholds", about="Limits of the built-in components.", keys=THRESHOLDS),
    "auto_healing": Section(
        heading="auto_healing",
        about="What healing may do, and how much of it. A unit's failure is healed at once; these are the brakes.",
        keys=keys_of(AutoHealingSettings),
    ),
    "services": Section(
        heading="services",
        about="The component `services`: every enabled service, and every failed unit of any type.",
        keys=keys_of(ServicesSettings),
    ),
    "http": Section(heading="http", about="Where healthd is reached over TCP.", keys=keys_of(HttpSettings)),
    "alerting": Section(
        heading="alerting",
        about='Who is told. Addresses and keys may be { credential = "NAME" }, a file in /etc/healthd/credentials.',
        keys=keys_of(AlertingSettings),
    ),
}
"""The sections with a fixed set of keys. [services."UNIT"] and [component.NAME] come beside them."""

UNIT: Final = keys_of(UnitSettings)
TABLES: Final = (*SECTIONS, "component")

__all__ = [
    "BUILT_IN",
    "COMMON",
    "ERRORS",
    "ERROR_LIMIT",
    "SECTIONS",
    "TABLES",
    "THRESHOLDS",
    "TYPES",
    "UNIT",
    "Section",
    "keys_of",
]


def home_of(key: str) -> str | None:
    """The section that a key belongs in."""
    return next((name for name, section in SECTIONS.items() if key in section.keys), None)
