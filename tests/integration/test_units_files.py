"""Which files systemd says that a unit is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from healthd.errors import BusError
from healthd.evidence import UnitFiles
from tests.integration.stage import on_stage, running

if TYPE_CHECKING:
    from tests.integration.stage import Stage

WEB = "web.service"
PATHS = {
    "FragmentPath": ("s", "/etc/systemd/system/web.service"),
    "SourcePath": ("s", ""),
    "DropInPaths": ("as", ["/etc/systemd/system/web.service.d/a.conf"]),
    "NeedDaemonReload": ("b", True),
}


@on_stage
async def test_a_service_is_its_unit_files_environment_programs_and_what_they_are_given(stage: Stage) -> None:
    run = [("/usr/bin/web", ["web", "--config=/etc/a", "-v", "/etc/b", "x=/no"], False, 0, 0, 0, 0, 0, 0, 0)]
    stage.systemd.add(WEB).more |= PATHS | {
        "EnvironmentFiles": ("a(sb)", [("/etc/default/web", True)]),
        "ExecStartPre": ("a(sasbttttuii)", [("/usr/bin/check", ["check"], False, 0, 0, 0, 0, 0, 0, 0)]),
        "ExecStart": ("a(sasbttttuii)", run),
    }
    async with running(stage):
        assert await stage.units.unit_files(WEB) == UnitFiles(
            name=WEB,
            fragment="/etc/systemd/system/web.service",
            drop_ins=("/etc/systemd/system/web.service.d/a.conf",),
            environment=("/etc/default/web",),
            programs=("/usr/bin/check", "/usr/bin/web", "/etc/a", "/etc/b"),
            stale=True,
        )


@on_stage
async def test_what_a_generator_made_is_as_new_as_what_it_made_it_of(stage: Stage) -> None:
    stage.systemd.add("srv.mount").more |= PATHS | {"SourcePath": ("s", "/etc/fstab")}
    async with running(stage):
        files = await stage.units.unit_files("srv.mount")

        assert (files.fragment, files.programs) == ("/etc/fstab", ())


@on_stage
async def test_a_systemd_that_does_not_say_is_an_error(stage: Stage) -> None:
    stage.systemd.add(WEB)
    async with running(stage):
        stage.systemd.refuse["Get"] = ("org.freedesktop.DBus.Error.Failed", "not now")
        with pytest.raises(BusError):
            await stage.units.unit_files(WEB)
