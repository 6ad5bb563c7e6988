"""What runs short, for real and in a machine of its own: seen, foretold where it can be, and seen to pass.

All share one machine of each release, and a healthd for which an hour passes in a minute.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pytest

from tests.system.later import restart_later
from tests.system.units import service
from tests.system.ward import Ward
from tools.throwaway import boot_vm

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.system.ward import Record
    from tools.throwaway import Release

PACE: Final = 60

STARVED: Final = "held = [bytearray(b'x') * 100_000 for _ in range(10_000)]"
"""It wants much more than its MemoryHigh=, so that the kernel has it wait for memory most of the time."""
GREEDY: Final = """
import os, signal, threading
held = bytearray(b"x") * (80 << 20)
for _ in range(9):
    threading.Thread(target=threading.Event().wait, daemon=True).start()
signal.signal(signal.SIGUSR1, lambda *_: os.execvp("sleep", ["sleep", "infinity"]))
while True:
    signal.pause()
"""
LEAKY: Final = """
import time
held, began = bytearray(), time.monotonic()
while True:
    held += b"x" * (int((time.monotonic() - began) * 1_400_000) - len(held))
    time.sleep(0.25)
"""
"""It would need more than an hour to its limit, by healthd's clock."""
SETTINGS: Final = """
[health]
check_interval_seconds = 60
[auto_healing]
restart_on_leak = true
verify_seconds = 3600
[services."greedy.service"]
heal = false
[component.pressure]
failures = 1
successes = 1
[component.processes]
failures = 1
successes = 1
[component.greedy]
type = "unit"
unit = "greedy.service"
failures = 1
successes = 1
memory_warning_mb = 50
tasks_warning = 5
restarts_warning = 0
[component.leaky]
type = "unit"
unit = "leaky.service"
failures = 1
successes = 1
memory_critical_mb = 100
"""

FEW: Final = """
sysctl --quiet --write kernel.threads-max=$(($(cut -d/ -f2 /proc/loadavg | cut -d' ' -f1) * 10 / 9))
sysctl --quiet --write fs.file-max=$(($(cut -f1 /proc/sys/fs/file-nr) * 10 / 9))
"""
MANY: Final = "sysctl --quiet --write kernel.threads-max=7000 fs.file-max=100000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """What takes a minute to pass, and what was said of it when it was seen."""

    cursor: str
    said: Mapping[str, Record]


@pytest.fixture(scope="module")
def ward(release: Release, deb: Path) -> Iterator[Ward]:
    """The machine; its units of type `unit` are there and do not run yet."""
    with boot_vm(release, deb=deb) as vm:
        made = Ward(host=vm)
        scripts = {"starved": STARVED, "greedy": GREEDY, "leaky": LEAKY}
        more = {"starved": ("MemoryHigh=8M",), "greedy": ("Restart=always",)}
        for name, script in scripts.items():
            vm.write(f"/usr/local/lib/{name}.py", script)
            text = service(f"/usr/bin/python3 /usr/local/lib/{name}.py", *more.get(name, ()))
            vm.write(f"/etc/systemd/system/{name}.service", text)
        vm.write("/etc/healthd/conf.d/50-test.toml", SETTINGS)
        vm.sh("systemctl enable --quiet leaky.service greedy.service", seconds=120)
        restart_later(made, older=3600, pace=PACE)
        yield made


@pytest.fixture(scope="module")
def begun(ward: Ward) -> Begun:
    """A task that waited for memory and waits no more, and a greedy unit that was killed once."""
    cursor = ward.host.cursor()
    ward.host.sh("systemctl start --no-block starved.service greedy.service")
    said = {
        issue: ward.await_event(cursor, "issue_opened", component="greedy", issue=issue, seconds=120)
        for issue in ("high_memory", "pressure")
    }
    said["stall"] = ward.await_event(cursor, "issue_opened", component="pressure", item="memory", seconds=120)
    ward.host.sh("systemctl kill --signal=KILL starved.service greedy.service")
    said["crash_loop"] = ward.await_event(cursor, "issue_opened", component="greedy", issue="crash_loop", seconds=120)
    return Begun(cursor=cursor, said=said)


def test_tasks_that_wait_for_memory_and_a_unit_beyond_its_limits_are_said(begun: Begun) -> None:
    said = {name: record["MESSAGE"] for name, record in begun.said.items()}

    assert re.search(r"all tasks waited for memory \d+ % of the last minute \(limit \d0 %\)", said["stall"])
    assert re.search(r"uses \d+\.\d MiB of memory \(limit 50.0 MiB\)", said["high_memory"])
    assert re.search(r"has ([6-9]|10) tasks \(limit 5\)", said["pressure"])  # it may be seen while it makes them
    assert "systemd restarted it 1 times in the last hour" in said["crash_loop"]


def test_a_unit_that_leaks_is_foretold_and_restarted_before_its_memory_is_used_up(ward: Ward) -> None:
    cursor = ward.host.cursor()
    ward.host.sh("systemctl start leaky.service")
    foretold = ward.await_event(cursor, "issue_opened", component="leaky", issue="high_memory", seconds=120)
    begun = ward.await_event(cursor, "healing_started", "leaky.service", seconds=60)
    ward.await_event(cursor, "issue_resolved", component="leaky", seconds=120)
    ward.host.sh("systemctl disable --quiet --now leaky.service")

    found = re.search(r"at this pace .* is critical in (\d+) min", foretold["MESSAGE"])
    assert found is not None, foretold
    assert int(found[1]) >= 10
    assert begun["HEALTHD_ACTION"] == "restart_unit"


def test_tables_of_the_kernel_that_run_full_are_an_issue_until_there_is_room(ward: Ward) -> None:
    cursor = ward.host.cursor()
    ward.host.sh(FEW)
    ward.await_event(cursor, "issue_opened", component="processes", issue="pressure", seconds=90)
    message = ward.ask("status", "processes")["message"]
    ward.host.sh(MANY)
    ward.await_event(cursor, "issue_resolved", component="processes", issue="pressure", seconds=90)

    assert "threads exist" in message
    assert "files are open" in message


def test_an_hour_after_all_that_nothing_is_said_of_it_any_more(ward: Ward, begun: Begun) -> None:
    ward.kill("greedy.service", "USR1")
    for issue in ("high_memory", "pressure", "crash_loop"):
        ward.await_event(begun.cursor, "issue_resolved", component="greedy", issue=issue, seconds=180)
    ward.await_event(begun.cursor, "issue_resolved", component="pressure", item="memory", seconds=180)


def test_a_clock_that_somebody_set_is_an_issue_for_ten_minutes(ward: Ward) -> None:
    cursor = ward.host.cursor()
    ward.host.sh("date --set='2 hours' > /run/now")
    said = ward.await_event(cursor, "issue_opened", component="clock", issue="clock_skew", seconds=90)
    resolved = ward.await_event(cursor, "issue_resolved", component="clock", issue="clock_skew", seconds=90)

    assert re.search(r"the clock was set forward by 7(199|20\d) s, to [0-9:]{8} UTC", said["MESSAGE"])
    # The ten minutes begin when it is seen. At this pace each second by which a slow machine says so later is one less.
    assert 300 < float(resolved["HEALTHD_DURATION_MS"]) / 1000 < 660
