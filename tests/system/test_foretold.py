"""What fills up is foretold, what goes up and down is not: an hour of a host that is a minute long for healthd."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from tests.system.later import restart_later
from tests.system.units import service
from tests.system.ward import Ward

if TYPE_CHECKING:
    from tools.throwaway import Host

PACE: Final = 60
SETTINGS: Final = "[health]\ncheck_interval_seconds = 60\n"

FILLING: Final = """
import time
began, there = time.monotonic(), 0
with open("/mnt/filling/x", "wb", buffering=0) as file:
    while True:
        time.sleep(0.25)
        wanted = int((time.monotonic() - began) * 1_000_000)
        there += file.write(bytes(wanted - there))
"""
"""It needs a good minute for 64 MiB, by the clock on a busy machine too: that is more than an hour for healthd."""
RESTLESS: Final = """
import time
with open("/mnt/restless/x", "wb", buffering=0) as file:
    while True:
        file.seek(0)
        file.truncate()
        for _ in range(8):
            time.sleep(0.5)
            file.write(bytes(6_000_000))
"""
"""It fills and empties the same room every four seconds, and stays below every limit."""


def test_what_fills_up_is_foretold_and_what_goes_up_and_down_is_not(host: Host) -> None:
    ward = Ward(host=host)
    for name, script in (("filling", FILLING), ("restless", RESTLESS)):
        host.sh(f"mkdir -p /mnt/{name}; mount -t tmpfs -o size=64M,mode=0755 none /mnt/{name}")
        host.write(f"/usr/local/lib/{name}.py", script)
    host.sh(
        "head -c 24M /dev/zero > /mnt/restless/x"
    )  # healthd has seen it fall before it sees it rise, however slowly
    host.write("/etc/healthd/conf.d/50-test.toml", SETTINGS)
    restart_later(ward, older=3600, pace=PACE)
    cursor = host.cursor()
    ward.add(service("/usr/bin/python3 /usr/local/lib/restless.py"))
    filling = ward.add(service("/usr/bin/python3 /usr/local/lib/filling.py"))
    ward.await_event(cursor, "component_changed", component="storage", status="degraded", seconds=60)
    storage = ward.ask("status", "storage")
    ward.discard(filling)
    host.sh("rm /mnt/filling/x")
    ward.await_event(cursor, "component_changed", component="storage", status="healthy", seconds=60)

    items = {item["name"]: item for item in storage["items"]}
    foretold = re.search(r"at this pace .* is critical in (\d+) min", items["/mnt/filling"]["message"])
    assert foretold is not None, items["/mnt/filling"]
    assert int(foretold[1]) >= 10
    assert items["/mnt/filling"]["status"] == "degraded"
    assert items["/mnt/restless"]["status"] == "healthy"
    told = [each for each in ward.story(cursor) if each.get("HEALTHD_ITEM") == "/mnt/restless"]
    assert told == []
