"""A control group of its own for each run of a host: containers that shared one would kill each other's units."""

from pathlib import Path

from tools.throwaway.waiting import wait_until

_UNIFIED = (Path("/sys/fs/cgroup/unified"), Path("/sys/fs/cgroup"))
# Where this machine has systemd's v1 tree as well, systemd-nspawn mirrors the groups there.
_MIRROR = Path("/sys/fs/cgroup/systemd")


def make(name: str) -> Path:
    """Makes the cgroup2 directory called `name`."""
    group = _group(name)
    group.mkdir()
    return group


def remove(name: str) -> None:
    """Kills what still runs in the group called `name` and removes it with all groups in it; it need not exist."""
    group = _group(name)
    if group.exists():
        (group / "cgroup.kill").write_text("1")
        events = group / "cgroup.events"
        wait_until(lambda: "populated 0" in events.read_text(), seconds=10, what=f"{group} to be empty")
    for directory in (group, _MIRROR / name):
        if directory.exists():
            _remove_tree(directory)


def _remove_tree(directory: Path) -> None:
    for below in sorted(directory.rglob("*/"), reverse=True):  # the deepest first
        below.rmdir()
    directory.rmdir()


def _group(name: str) -> Path:
    root = next(root for root in _UNIFIED if (root / "cgroup.controllers").exists())
    return root / name
