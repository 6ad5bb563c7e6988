"""The files that a unit is made of: unit file, drop-ins, environment, programs, and what its command line names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from healthd.evidence import UnitFiles
from healthd.systemd.bus import together
from healthd.systemd.details import property_of
from healthd.systemd.names import SERVICE, UNIT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from healthd.systemd.bus import Bus

_MOST: Final = 30


async def unit_files(bus: Bus, name: str) -> UnitFiles:
    """What systemd says of a loaded unit's files. Raises `BusError`."""
    service = name.endswith(".service")
    asked = [(UNIT, member) for member in ("FragmentPath", "SourcePath", "DropInPaths", "NeedDaemonReload")]
    asked += [(SERVICE, member) for member in ("EnvironmentFiles", "ExecStartPre", "ExecStart") if service]
    answers = await together([property_of(bus, name, *each) for each in asked])
    fragment, source, drop_ins, stale, *of_service = answers
    environment, *commands = of_service or ((), ())
    return UnitFiles(
        name=name,
        fragment=str(source or fragment),
        drop_ins=tuple(drop_ins)[:_MOST],
        environment=tuple(path for path, _ in environment)[:_MOST],
        programs=tuple(dict.fromkeys(path for each in commands for path in _paths(each)))[:_MOST],
        stale=bool(stale),
    )


def _paths(commands: Iterable[tuple[Any, ...]]) -> Iterable[str]:
    """The program of each command, and every absolute path among its arguments: `/a`, `--config=/a`."""
    for program, arguments, *_ in commands:
        yield program
        for argument in arguments[1:]:
            path = argument[argument.find("=") + 1 :] if argument.startswith("-") else argument
            if path.startswith("/"):
                yield path
