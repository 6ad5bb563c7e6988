"""Unit files of demo services, each with a way to break it."""

from __future__ import annotations

from collections.abc import Sequence


def service(
    command: str = "sleep infinity", *settings: str, unit: Sequence[str] = (), wanted_by: str = "multi-user.target"
) -> str:
    """A service that systemd does not restart by itself. `settings` go into [Service], `unit` into [Unit].

    With an empty `wanted_by` it has no [Install], so that systemd calls it static.
    """
    lines = ["[Unit]", *unit, "[Service]", f"ExecStart={command}", "Restart=no", *settings]
    if wanted_by:
        lines += ["[Install]", f"WantedBy={wanted_by}"]
    return "\n".join(lines) + "\n"


def obedient(*settings: str, unit: Sequence[str] = ()) -> str:
    """A service that waits for orders: it runs the shell script that `Ward.tell` writes into its FIFO."""
    make = 'ExecStartPre=/bin/sh -c "[ -p /run/%N.fifo ] || mkfifo /run/%N.fifo"'
    return service('/bin/sh -c ". /run/%N.fifo"', make, *settings, unit=unit)


def never_ready(*settings: str) -> str:
    """A service whose start hangs until systemd loses its patience."""
    return service("sleep infinity", "Type=notify", "TimeoutStartSec=1", *settings)


def job(command: str, *settings: str) -> str:
    """A service that does its work once and is done."""
    return service(command, "Type=oneshot", *settings)
