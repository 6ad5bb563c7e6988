from __future__ import annotations

import asyncio
from dataclasses import replace

from healthd.aliases import find_aliases
from healthd.config import Settings, UnitSettings
from tests.fake_units import FakeUnits, service


def test_every_name_that_is_an_alias_is_told_with_its_key_and_what_to_write() -> None:
    base = Settings()
    settings = replace(
        base,
        auto_healing=replace(base.auto_healing, protect=("mysql.service",), allow=("*.service", "mariadb.service")),
        services=replace(base.services, unit={"mysql.service": UnitSettings()}),
    )
    units = FakeUnits(service("mariadb.service"))
    units.aliases["mysql.service"] = "mariadb.service"

    told = asyncio.run(find_aliases(settings, units))

    assert [line.partition(":")[0] for line in told] == ["auto_healing.protect", 'services."mysql.service"']
    assert all("write mariadb.service" in line for line in told)


def test_patterns_and_units_that_systemd_knows_by_that_name_are_not_asked_for() -> None:
    units = FakeUnits(service("web.service"))
    base = Settings()
    settings = replace(base, services=replace(base.services, ignore=("web.service", "db*")))

    assert asyncio.run(find_aliases(settings, units)) == ()
    assert units.calls == []
