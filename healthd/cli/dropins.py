"""The drop-ins of the units that run the programs of `exec` components: put in place as root, and taken away again."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from healthd.cli.inplace import put_in_place
from healthd.cli.seal import PUBLIC, drop_ins

if TYPE_CHECKING:
    from collections.abc import Mapping


def put(wanted: Mapping[str, bytes], units: str) -> bool:
    """Have just these drop-ins, by path, below a directory of unit files; whether anything changed. Raises `OSError`.

    Whatever else an administrator keeps in their folders stays.
    """
    there = drop_ins(units)
    for name in there.keys() - wanted.keys():
        path = Path(name)
        path.unlink()
        if not any(path.parent.iterdir()):
            path.parent.rmdir()
    changed = {name: text for name, text in wanted.items() if there.get(name) != text}
    for name, text in changed.items():
        path = Path(name)
        path.parent.mkdir(mode=0o755, exist_ok=True)
        path.parent.chmod(0o755)
        put_in_place(path, text, mode=PUBLIC)
    return bool(changed or there.keys() - wanted.keys())


def have_read_again() -> None:
    """Have systemd read its unit files again.

    It takes this signal before it hears of the end of whoever sent it, so that what comes next finds them read.
    """
    if Path("/run/systemd/system").is_dir():
        os.kill(1, signal.SIGHUP)
