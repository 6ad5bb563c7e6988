"""The configuration: `load` reads it, `Settings` is what it means, `ConfigError` carries everything that is wrong."""

from __future__ import annotations

from healthd.config.fragments import DEFAULT_FILE
from healthd.config.load import load, load_texts
from healthd.config.needs import needs_tls
from healthd.config.patterns import is_unit_name, matches, permitted, repair_units
from healthd.config.settings import (
    AlertingSettings,
    AutoHealingSettings,
    CleanExit,
    ComponentSettings,
    Heal,
    HealthSettings,
    HttpSettings,
    ServicesSettings,
    Settings,
    UnitSettings,
)

__all__ = [
    "DEFAULT_FILE",
    "AlertingSettings",
    "AutoHealingSettings",
    "CleanExit",
    "ComponentSettings",
    "Heal",
    "HealthSettings",
    "HttpSettings",
    "ServicesSettings",
    "Settings",
    "UnitSettings",
    "is_unit_name",
    "load",
    "load_texts",
    "matches",
    "needs_tls",
    "permitted",
    "repair_units",
]
