"""Run as a program: one of healthd's two programs, as its launcher runs it, and then list what it had loaded.

    run_and_list.py LIST daemon SOCKET [OPTION ...]     the daemon, serving on a socket that it inherits
    run_and_list.py LIST client [ARGUMENT ...]          healthctl

LIST is the file that gets a JSON object: the names of all modules that were loaded, of those that were kept
out, and of those of which there is only the name.
"""

from __future__ import annotations

import sys


def inherit(path: str) -> None:
    """Listen on this socket and pass it on as systemd does: as descriptor 3, announced in the environment."""
    import os  # noqa: PLC0415  nothing may be loaded here that the program itself would not load
    import socket  # noqa: PLC0415

    listening = socket.socket(socket.AF_UNIX)
    listening.bind(path)
    listening.listen()
    os.dup2(listening.detach(), 3)
    os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))


def daemon(path: str, *options: str) -> int:
    """Until SIGTERM."""
    from healthd.__main__ import main  # noqa: PLC0415

    inherit(path)
    return main(options)


def client(*arguments: str) -> int:
    """One verb."""
    from healthd.cli.main import main  # noqa: PLC0415

    return main(arguments)


def write_list(path: str) -> None:
    """What was loaded up to now."""
    modules: dict[str, object] = dict(sys.modules)  # None stands for a module that must not be imported
    unread = {name for name, module in modules.items() if type(module).__name__ == "Unread"}  # healthd.lean
    loaded = sorted(name for name, module in modules.items() if module is not None and name not in unread)
    kept_out = sorted(name for name, module in modules.items() if module is None)

    import json  # noqa: PLC0415
    from pathlib import Path  # noqa: PLC0415

    told = {"loaded": loaded, "kept_out": kept_out, "unread": sorted(unread)}
    Path(path).write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    _, target, program, *rest = sys.argv
    status = daemon(*rest) if program == "daemon" else client(*rest)
    write_list(target)
    sys.exit(status)
