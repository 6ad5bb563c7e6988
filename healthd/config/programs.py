"""The programs of components of type `exec`: the drop-ins of the units that run them, and what is not there to be run.

A drop-in is what systemd reads: whatever is in a command must reach the program as it is, and nothing else.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from healthd.config.merge import Node
    from healthd.config.report import Report
    from healthd.config.settings import ComponentSettings, Settings

_TEXT: Final = """\
# Written by healthd from its configuration at each start and reload. Changes made here are lost: see [component.{name}]
# and healthd.toml(5), or put a drop-in of your own beside this one.
[Service]
User={user}
ExecStart=
ExecStart=:{command}
TimeoutStartSec={timeout:.3f}s
"""
# The colon: no variable is put in place of a "$".

_NUMBERS: Final = {"nobody": "65534"}
"""For its name systemd complains at every start that this user is not safe."""


def drop_ins(settings: Settings) -> Mapping[str, str]:
    """The text of each drop-in by its path below a directory of unit files."""
    return {
        f"healthd-check@{name}.service.d/50-healthd.conf": _TEXT.format(
            name=name,
            user=_NUMBERS.get(component.options["user"], component.options["user"]),
            command=" ".join(map(quoted, component.options["command"])),
            timeout=component.timeout_seconds,
        )
        for name, component in _programs(settings)
    }


def quoted(word: str) -> str:
    """A word of a command as systemd reads it back: quotes, backslashes and specifiers stand for themselves."""
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%") + '"'


def warn_of_missing(root: Node, settings: Settings, report: Report) -> None:
    """Tell which programs are not on this host."""
    for name, component in _programs(settings):
        node = root.at(("component", name, "command"))
        program = component.options["command"][0]
        if node is not None and _is_missing(Path(program)):
            report.add(node, f"there is no program {program}", "install it, or correct the path")


def _is_missing(program: Path) -> bool:
    try:
        program.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:  # it may well be there, and the user who runs it may see it
        return False
    return False


def _programs(settings: Settings) -> Iterator[tuple[str, ComponentSettings]]:
    return ((name, each) for name, each in settings.component.items() if each.type == "exec")
