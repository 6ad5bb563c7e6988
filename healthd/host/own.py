"""What this very process uses."""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING

from healthd.answers import OwnProcess

if TYPE_CHECKING:
    from pathlib import Path


def own_process(proc: Path) -> OwnProcess:
    """As the kernel counts it; raises OSError where its files cannot be read."""
    import psutil  # noqa: PLC0415  no start needs to wait for it

    psutil.PROCFS_PATH = str(proc)
    own = psutil.Process()
    with own.oneshot():
        times, memory = own.cpu_times(), own.memory_info()
        most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        return OwnProcess(
            cpu_seconds=times.user + times.system,
            resident_bytes=memory.rss,
            virtual_bytes=memory.vms,
            started_at=own.create_time(),
            open_files=own.num_fds(),
            most_files=most,
        )
