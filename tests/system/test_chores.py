"""What is done to the host itself, for real: disks that fill up are cleaned, a network that is lost is restarted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.system.units import job, service
from tests.system.ward import QUICK, Ward
from tools.throwaway import boot

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tools.throwaway import Machine, Release

OFTEN: Final = """
[health]
check_interval_seconds = 1
max_healing_attempts = 20
[component.storage]
failures = 1
successes = 1
[component.network]
failures = 1
successes = 1
[auto_healing]
disk_cleanup_journal_mb = 8
disk_cleanup_log_directories = ["/mnt/logs"]
"""
WATCH_ONLY: Final = "[health]\nauto_healing_enabled = false\n"
NETWORK: Final = "[auto_healing]\nnetwork_restart_enabled = true\n"

MOUNTS: Final = """
mkdir -p /etc/systemd/journald.conf.d /mnt/logs /var/log/journal
printf '%s\n' '[Journal]' Storage=persistent SystemMaxUse=1G SystemKeepFree=1 SystemMaxFileSize=4M \
    > /etc/systemd/journald.conf.d/test.conf
mount -t tmpfs -o size=40M none /var/log/journal
mount -t tmpfs -o size=20M none /var/cache/apt
mount -t tmpfs -o size=10M none /mnt/logs
mkdir -p /var/cache/apt/archives
systemctl restart systemd-journald
"""
"""Three file systems, each for one kind of what may be removed."""

FULL: Final = """
head -c 18M /dev/zero > /var/cache/apt/archives/left-over_1_all.deb
cd /mnt/logs
for name in app.log app.log.1 app.log.2.gz app.log-20260101.xz app-1.conf notes.txt; do
    head -c 1600000 /dev/zero > "$name"
done
cd /var/log/journal/*
n=0
while [ "$(df --output=pcent . | tr -dc 0-9)" -lt 88 ]; do
    n=$((n + 1))
    file=$(printf 'system@%032x-%016x-%016x.journal' 1 "$n" "$n")
    head -c 64K system.journal > "$file"
    head -c 2M /dev/zero >> "$file"
done
"""

FULL_MOUNTS: Final = ("/var/log/journal", "/var/cache/apt", "/mnt/logs")
KEPT: Final = ["app-1.conf", "app.log", "notes.txt"]

LAN: Final = """
printf '%s\n' '[Match]' Name=lan0 '[Network]' Address=192.0.2.1/24 Gateway=192.0.2.254 ConfigureWithoutCarrier=yes \
    LinkLocalAddressing=no > /etc/systemd/network/lan.network
ip link add lan0 type veth peer name far
ip link set far up
systemctl start systemd-networkd
/lib/systemd/systemd-networkd-wait-online --interface=lan0 --timeout=20
"""

IFUPDOWN: Final = """
ip link add lan0 type veth peer name far
ip link set far up
cat > /etc/network/interfaces <<END
auto lo lan0
iface lo inet loopback
iface lan0 inet static
    address 192.0.2.1/24
    gateway 192.0.2.254
END
systemctl restart networking
"""


@pytest.fixture(scope="module")
def ward(release: Release, deb: Path) -> Iterator[Ward]:
    """A host that is looked at every second."""
    with boot(release, deb=deb) as host:
        made = Ward(host=host)
        made.configure(QUICK)
        made.configure(OFTEN, name="55-often")
        yield made


def used(host: Machine, path: str) -> int:
    """So many percent of a file system are used."""
    return int(host.sh(f"df --output=pcent {path} | tr -dc 0-9"))


def test_full_disks_are_cleaned_of_journal_packages_and_listed_logs_and_of_nothing_else(ward: Ward) -> None:
    host = ward.host
    host.sh(MOUNTS)
    with ward.under(WATCH_ONLY):
        host.sh(FULL)
        ward.look()
        assert {each["item"] for each in ward.ask("issues") if each["type"] == "disk_full"} == {*FULL_MOUNTS}
        told = ward.healthctl("heal", "storage", "--action", "disk_cleanup", "--dry-run")
        assert all(used(host, path) > 85 for path in FULL_MOUNTS)
        cursor = host.cursor()
    for what in ("the journal ", "the package cache 18.0 MiB", "rotated logs in /mnt/logs 4.6 MiB", "would be won"):
        assert what in told.stdout

    record = ward.await_event(cursor, "healing_finished", component="storage", action="disk_cleanup")
    for path in FULL_MOUNTS:
        ward.await_event(cursor, "issue_resolved", component="storage", item=path, issue="disk_full")

    assert record["HEALTHD_OUTCOME"] == "success"
    assert record["HEALTHD_UNIT"] == "healthd-disk-cleanup.service"
    for what in ("the journal ", "the package cache 18.0 MiB", "rotated logs in /mnt/logs 4.6 MiB", " won ("):
        assert what in record["MESSAGE"]
    assert host.sh("ls /mnt/logs").split() == KEPT
    assert "rotated logs in /mnt/logs: 4" in host.journal("--unit=healthd-disk-cleanup.service")
    host.sh("umount /mnt/logs /var/cache/apt; umount --lazy /var/log/journal; systemctl restart systemd-journald")


def test_a_full_disk_that_holds_nothing_which_may_go_is_left_as_it_is_without_a_further_alarm(ward: Ward) -> None:
    host = ward.host
    cursor = host.cursor()
    host.sh(
        "mkdir -p /mnt/full; mount -t tmpfs -o size=8M none /mnt/full; head -c 7900000 /dev/zero > /mnt/full/x.1.gz"
    )
    record = ward.await_event(cursor, "healing_finished", component="storage", item="/mnt/full")
    ward.look()
    explained = ward.ask("explain", "/mnt/full")
    (issue,) = [each for each in ward.ask("issues") if each["item"] == "/mnt/full"]

    assert record["HEALTHD_OUTCOME"] == "not_supported", record["MESSAGE"]
    assert "nothing that may be removed lies on a file system that is full" in record["MESSAGE"]
    assert (explained["decision"], issue["gave_up"], issue["attempts"]) == ("nothing", False, 0)
    assert "nothing that may be removed" in explained["facts"]["last attempt"]
    assert host.sh("ls /mnt/full").split() == ["x.1.gz"]
    host.sh("umount /mnt/full")
    ward.look()


def test_old_temporary_files_go_by_their_ages_where_inodes_run_out(ward: Ward) -> None:
    host = ward.host
    host.write("/etc/tmpfiles.d/test.conf", "e /var/tmp/scratch - - - 0\n")
    cursor = host.cursor()
    host.sh("mount -t tmpfs -o size=8M,nr_inodes=100,mode=1777 none /var/tmp; mkdir /var/tmp/scratch /var/tmp/work")
    host.sh(
        "chown nobody /var/tmp/scratch; cd /var/tmp/scratch; i=0; while [ $i -lt 94 ]; do : > $i; i=$((i + 1)); done"
    )
    # The daemon has a /var/tmp of its own, on what was mounted there when it started.
    host.sh("echo > /var/tmp/work/kept; systemctl restart healthd")
    record = ward.await_event(cursor, "healing_finished", component="storage", item="/var/tmp", issue="inodes_full")
    ward.await_event(cursor, "issue_resolved", component="storage", item="/var/tmp", issue="inodes_full")

    assert "old files in /var/tmp 94 files" in record["MESSAGE"]
    assert host.sh("find /var/tmp -type f").split() == ["/var/tmp/work/kept"]
    host.sh("umount --lazy /var/tmp; systemctl restart healthd")


def test_memory_is_not_cleaned_unasked_nor_in_a_container_whose_caches_are_those_of_another(ward: Ward) -> None:
    cursor = ward.host.cursor()
    with ward.under("[thresholds]\nmemory_warning_gb = 0.001\nmemory_critical_gb = 10000\n"):
        held = ward.await_event(cursor, "healing_held", component="memory")
        ward.configure("[auto_healing]\nmemory_cleanup_enabled = true\n", name="70-memory")
        record = ward.await_event(cursor, "healing_finished", component="memory")
        ward.configure("", name="70-memory")

    assert held["HEALTHD_REASON"] == "disabled"
    assert record["HEALTHD_OUTCOME"] == "not_supported"
    assert "this is a container" in record["MESSAGE"]


def test_a_unit_that_is_down_is_repaired_by_the_unit_that_its_ladder_names(ward: Ward) -> None:
    unit = ward.add(service("/bin/sh -c '[ -e /run/mended ] && exec sleep infinity'"), start=False)
    repair = ward.add(
        job(f"/bin/sh -c 'touch /run/mended; systemctl start {unit}'"), name="mend.service", enable=False, start=False
    )
    ladder = f'[services."{unit}"]\nactions = ["start_unit", "run_unit:{repair}"]\n'
    with ward.under(ladder):
        cursor = ward.host.cursor()
        ward.try_start(unit)
        started = ward.await_event(cursor, "healing_started", unit, action="run_unit")
        record = ward.await_event(cursor, "healing_finished", unit, action="run_unit")
        ward.await_healed(cursor, unit)

    assert f"run_unit:{repair}, attempt 2" in started["MESSAGE"]
    assert record["HEALTHD_OUTCOME"] == "success"
    assert ward.starts(cursor, repair) == 1
    ward.discard(unit)


def until_the_route_is_known(ward: Ward) -> None:
    """Only what healthd has seen, and held against a look before, can it miss."""
    for _ in range(40):
        ward.look()
        items = {item["name"]: item["message"] for item in ward.ask("status", "network")["items"]}
        if "route" in items and "B/s" in items.get("lan0", ""):
            return
    pytest.fail(ward.healthctl("status", "network").stdout)


def lose_the_network(ward: Ward, manager: str) -> None:
    """Has link and route go: that is only said, until the restart is switched on, which brings both back."""
    host = ward.host
    until_the_route_is_known(ward)
    cursor = host.cursor()
    host.sh("ip route del default")
    held = ward.await_event(cursor, "healing_held", component="network", item="route")
    assert held["HEALTHD_REASON"] == "disabled"
    told = ward.healthctl("heal", "network", "--action", "network_restart", "--dry-run")
    assert f"{manager} would be restarted" in told.stdout

    with ward.under(NETWORK):
        record = ward.await_event(cursor, "healing_finished", component="network")
        ward.await_event(cursor, "issue_resolved", component="network", item="route")
    assert f"{manager} was restarted" in record["MESSAGE"]
    assert "default via 192.0.2.254 dev lan0" in host.sh("ip route")


def test_networkd_is_restarted_for_a_lost_network_where_that_is_wanted(ward: Ward) -> None:
    ward.host.sh(LAN)

    lose_the_network(ward, "systemd-networkd.service")

    ward.host.sh(
        "systemctl stop systemd-networkd systemd-networkd.socket; ip link del lan0; rm /etc/systemd/network/lan.network"
    )


def test_ifupdown_is_restarted_for_a_lost_network_where_that_is_wanted(release: Release, deb: Path) -> None:
    with boot(release, deb=deb, extra=["ifupdown"]) as host:
        ward = Ward(host=host)
        ward.configure(OFTEN)
        host.sh(IFUPDOWN)

        lose_the_network(ward, "networking.service")
