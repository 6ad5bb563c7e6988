"""Names in the configuration that are aliases.

systemd speaks of a unit by its primary name only, to polkit too: what is said of an alias would be said of nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthd.config import is_unit_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from healthd.config import Settings
    from healthd.ports import Units


async def find_aliases(settings: Settings, units: Units) -> tuple[str, ...]:
    """A sentence for each configured name that is an alias: where it stands, and what to write. Raises BusError."""
    found = []
    for key, name in _named(settings):
        if name not in units.facts():
            primary = await units.primary_name(name)
            if primary != name:
                found.append(f"{key}: {name} is another name of {primary}; write {primary}, healthd goes by that")
    return tuple(found)


def _named(settings: Settings) -> Iterator[tuple[str, str]]:
    """The units that are named in full, and the key at which."""
    healing, services = settings.auto_healing, settings.services
    patterns = {
        "auto_healing.allow": healing.allow,
        "auto_healing.protect": healing.protect,
        "services.watch": services.watch,
        "services.ignore": services.ignore,
    }
    for key, names in patterns.items():
        yield from ((key, name) for name in names if is_unit_name(name))
    yield from ((f'services."{name}"', name) for name in services.unit)
