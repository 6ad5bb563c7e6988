"""The drop-ins of units that healthd starts: those of the programs of `exec` components, and of the disk clean-up.

And which of the programs are not there to be run.

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

_FULL: Final = 85.0
_JOURNAL_MB: Final = 100
"""As in systemd/disk-cleanup."""

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

_CLEANUP: Final = """\
# Written by healthd from its configuration at each start and reload. Changes made here are lost: see [auto_healing] and
# healthd.toml(5), or put a drop-in of your own beside this one.
[Service]
Environment=HEALTHD_FULL={full} HEALTHD_JOURNAL_BYTES={journal}
"""
_HOMES: Final = ("/home/", "/root/", "/run/user/")
_CLEANUP_UNITS: Final = ("healthd-disk-cleanup.service.d", "healthd-dry-run@disk-cleanup.service.d")

_NUMBERS: Final = {"nobody": "65534"}
"""For its name systemd complains at every start that this user is not safe."""


def drop_ins(settings: Settings) -> Mapping[str, str]:
    """The text of each drop-in by its path below a directory of unit files."""
    programs = {
        f"healthd-check@{name}.service.d/50-healthd.conf": _TEXT.format(
            name=name,
            user=_NUMBERS.get(component.options["user"], component.options["user"]),
            command=" ".join(map(quoted, component.options["command"])),
            timeout=component.timeout_seconds,
        )
        for name, component in _programs(settings)
    }
    return {**programs, **_cleanup(settings)}


def _cleanup(settings: Settings) -> Mapping[str, str]:
    """What the disk clean-up goes by; none where that is what its unit says itself."""
    full, healing = settings.thresholds.get("storage_warning_percent", _FULL), settings.auto_healing
    folders = healing.disk_cleanup_log_directories
    if (full, healing.disk_cleanup_journal_mb, folders) == (_FULL, _JOURNAL_MB, ()):
        return {}
    does, says = _CLEANUP_UNITS
    text = _CLEANUP.format(full=round(full * 100), journal=healing.disk_cleanup_journal_mb * 2**20)
    if folders:
        text += f"Environment={quoted('HEALTHD_LOG_DIRECTORIES=' + ':'.join(folders))}\n"
    writable = "".join(f"ReadWritePaths={quoted('-' + folder)}\n" for folder in folders)
    if any(f"{folder}/".startswith(_HOMES) for folder in folders):
        writable += "ProtectHome=read-only\n"
    return {f"{does}/50-healthd.conf": text + writable, f"{says}/50-healthd.conf": text}


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
