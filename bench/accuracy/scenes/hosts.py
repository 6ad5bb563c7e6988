"""What happens to a host itself: its file systems, its links and routes, its clock, its packages, its processes."""

# ruff: noqa: E501 -- a script that is broken in two is harder to read

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from bench.accuracy.scene import ALONE, Label, Place, Scene
from bench.accuracy.scenes.shapes import HARMLESS, UNIT, reported, service

_DISK_HOST: Final = Place(name="disks", settings="[health]\nmax_healing_attempts = 50\n")
_LOGS_HOST: Final = Place(
    name="logs", settings='[auto_healing]\ndisk_cleanup_log_directories = ["/mnt/logs-that-can-go"]\n'
)
_CLEAN: Final = "disk_cleanup healthd-disk-cleanup.service"
_CLEANED: Final = Label(issue="disk_full", component="storage", actions=(_CLEAN,), then="healing_finished")
"""What is full here holds nothing that may be removed: it is looked for, and that is said."""


def _disk(
    name: str,
    make: str,
    *,
    issue: str = "",
    label: Label | None = None,
    options: str = "size=8M",
    before: str = "",
    **more: Any,
) -> Scene:
    mount = f"mkdir -p /mnt/{{name}}; mount -t tmpfs -o {options} none /mnt/{{name}}\n"
    return Scene(
        name=name,
        component="storage",
        label=label or (replace(_CLEANED, issue=issue) if issue else HARMLESS),
        before=mount + before,
        make=make,
        seconds=120,
        place=more.pop("place", _DISK_HOST),
        **more,
    )


def _fill(kib: int, file: str = "x") -> str:
    return f"head -c {kib * 1024} /dev/zero > /mnt/{{name}}/{file}\n"


_READ_ONLY: Final = reported("read_only", component="storage", then="healing_finished")
_FILES: Final = "i=0; while [ $i -lt %d ]; do : > /mnt/{name}/$i; i=$((i + 1)); done\n"
_DISKS: Final = (
    _disk(
        "logs-that-can-go",
        "for i in 1 2 3; do head -c 2600000 /dev/zero > /mnt/{name}/app.log.$i; done",
        label=Label(issue="disk_full", component="storage", actions=(_CLEAN,), then="issue_resolved"),
        place=_LOGS_HOST,
    ),
    _disk("disk-full", _fill(8192), issue="disk_full"),
    _disk("disk-nearly-full", _fill(7400), issue="disk_full"),
    _disk(
        "disk-filled-by-many-files",
        "for i in 1 2 3 4 5 6 7; do head -c 1100000 /dev/zero > /mnt/{name}/$i || :; done",
        issue="disk_full",
    ),
    _disk(
        "disk-filled-by-a-log",
        "timeout 90 sh -c 'while :; do seq 1 20000 >> /mnt/{name}/log || exit 0; sleep 0.01; done' || :",
        issue="disk_full",
    ),
    _disk(
        "disk-filled-by-a-deleted-file",
        "sh -c 'exec 3> /mnt/{name}/x; head -c 7900000 /dev/zero >&3; rm /mnt/{name}/x; exec sleep 30' > /dev/null 2>&1 &\nsleep 1",
        issue="disk_full",
    ),
    _disk("disk-shrunk", "mount -o remount,size=5M /mnt/{name}", before=_fill(4800), issue="disk_full"),
    _disk(
        "disk-of-a-user",
        "setpriv --reuid=nobody --clear-groups head -c 8000000 /dev/zero > /mnt/{name}/x",
        options="size=8M,mode=1777",
        issue="disk_full",
    ),
    _disk("inodes-used-up", _FILES % 97, options="size=8M,nr_inodes=100", issue="inodes_full"),
    _disk("inodes-nearly-used-up", _FILES % 89, options="size=8M,nr_inodes=100", issue="inodes_full"),
    _disk("disk-became-read-only", "mount -o remount,ro /mnt/{name}", label=_READ_ONLY),
    _disk("disk-full-and-read-only", "mount -o remount,ro /mnt/{name}", before=_fill(2000), label=_READ_ONLY),
    _disk("disk-at-80-percent", _fill(6500)),
    _disk("disk-at-84-percent", _fill(6800)),
    _disk("disk-filled-and-emptied", _fill(6000) + "sleep 1\nrm /mnt/{name}/x\n" + _fill(6000) + "rm /mnt/{name}/x"),
    _disk(
        "logs-rotated",
        "for i in 1 2 3; do head -c 2000000 /dev/zero > /mnt/{name}/log; mv /mnt/{name}/log /mnt/{name}/log.1; sleep 0.5; done",
    ),
    _disk("sparse-file", "truncate -s 100G /mnt/{name}/x", options="size=200G"),
    _disk("inodes-half-used", _FILES % 60, options="size=8M,nr_inodes=100"),
    _disk("inodes-without-number", _FILES % 100, options="size=8M,nr_inodes=0"),
    _disk("disk-grown-in-time", "mount -o remount,size=64M /mnt/{name}\n" + _fill(9000)),
    _disk("disk-unmounted", "umount /mnt/{name}"),
    _disk("disk-mounted-twice", "mkdir -p /mnt/{name}.2; mount --bind /mnt/{name} /mnt/{name}.2"),
    Scene(
        name="mounted-read-only",
        component="storage",
        label=HARMLESS,
        make="mkdir -p /mnt/{name}; mount -t tmpfs -o size=8M,ro none /mnt/{name}",
    ),
    Scene(
        name="full-but-for-reading",
        component="storage",
        label=HARMLESS,
        make="mkdir -p /mnt/{name}; unshare --mount sh -c ':'; mount -t tmpfs -o size=1M,ro none /mnt/{name}",
    ),
    Scene(
        name="private-and-full",
        component="storage",
        label=HARMLESS,
        make="mkdir -p -m 700 /mnt/{name}; mkdir /mnt/{name}/in; mount -t tmpfs -o size=1M none /mnt/{name}/in; head -c 1048576 /dev/zero > /mnt/{name}/in/x",
    ),
    Scene(
        name="full-in-a-namespace-of-its-own",
        component="storage",
        label=HARMLESS,
        units={
            UNIT: service(
                "PrivateTmp=yes",
                "TemporaryFileSystem=/mnt:size=1M",
                command='/bin/sh -c "head -c 1048576 /dev/zero > /mnt/x; exec sleep infinity"',
            )
        },
        make="systemctl start $U",
    ),
    _disk(
        "many-mounts",
        "for i in 1 2 3 4 5 6; do mkdir -p /mnt/{name}_$i; mount -t tmpfs -o size=1M none /mnt/{name}_$i; done",
    ),
)


_LINK: Final = "ip link add lan0 type veth peer name lan0-o; ip addr add 198.51.100.1/30 dev lan0; ip link set lan0-o up; ip link set lan0 up\n"
_LINKS: Final = Place(name="links", settings="[component.network]\ninterval_seconds = 1\nfailures = 2\nsuccesses = 1\n")
_NETWORK: Final = "[component.network]\ninterval_seconds = 0.5\nfailures = 2\nsuccesses = 1\n"
_ROUTE: Final = "ip route add default via 198.51.100.2 dev lan0\n"
_FLOOD: Final = (
    "ip neigh replace 198.51.100.2 lladdr 02:00:00:00:00:01 dev lan0\n"
    "python3 -c 'import socket, time\n"
    "to = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
    "for _ in range(%d):\n"
    '    for _ in range(%d): to.sendto(bytes(1200), ("198.51.100.2", 9))\n'
    "    time.sleep(0.25)'\n"
)


def _net(name: str, make: str, *, bad: bool, before: str = _LINK, **more: Any) -> Scene:
    """On a host of its own: a route that was once there is missed for as long as it does not come back."""
    return Scene(
        name=name,
        component="network",
        label=reported("network_error", component="network", then=more.pop("then", "")) if bad else HARMLESS,
        before=before,
        make=make,
        owns=("network",),
        place=Place(name=name, settings=_NETWORK),
        **more,
    )


_RESOLVER: Final = (
    "cat > /root/names.py <<'END'\n"
    "import socket, sys\n"
    "with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:\n"
    "    made.bind((sys.argv[1], 53))\n"
    "    while True:\n"
    "        asked, whom = made.recvfrom(512)\n"
    "        made.sendto(asked[:2] + bytes([0x81, int(sys.argv[2])]) + asked[4:], whom)\n"
    "END\n"
)


def _names(*servers: str) -> str:
    return (
        _RESOLVER
        + "".join(
            f"systemd-run --quiet --unit={{name}}_{at} python3 /root/names.py {server}\n"
            for at, server in enumerate(servers)
        )
        + "sleep 1\n"
    )


_ASK_ONE: Final = "echo nameserver 127.0.0.1 > /etc/resolv.conf\n"
_OWN_LINK: Final = (
    "ip link add l{port} type veth peer name l{port}-o; ip addr add 203.0.113.1/32 dev l{port}\n"
    "ip link set l{port}-o up; ip link set l{port} up\n"
)


def _link(name: str, make: str, *, bad: bool = False, before: str = "") -> Scene:
    """Of a link of its own, beside others."""
    return Scene(
        name=name,
        component="network",
        label=reported("network_error", component="network") if bad else HARMLESS,
        before=_OWN_LINK + before,
        make=make,
        owns=("l{port}*",),
        place=_LINKS,
        watch=8,
    )


_NETWORKS: Final = (
    _link("net-link-lost", "ip link set l{port}-o down", bad=True),
    _link(
        "net-link-flaps-for-long",
        "for i in 1 2 3; do ip link set l{port}-o down; sleep 3; ip link set l{port}-o up; sleep 0.2; done",
        bad=True,
    ),
    _link(
        "net-link-switched-off",
        "ip link set l{port} down",
        before="ip netns add {name}; ip link set l{port}-o netns {name}; ip -n {name} link set l{port}-o up\n",
    ),
    _link("net-link-removed", "ip link del l{port}"),
    _link("net-link-flaps-once", "ip link set l{port}-o down; sleep 0.3; ip link set l{port}-o up"),
    _link(
        "net-link-added-without-its-end",
        "ip link add l{port}-2 type veth peer name l{port}-3; ip link set l{port}-2 up",
    ),
    _link("net-bridge-without-ports", "ip link add l{port}-b type bridge; ip link set l{port}-b up"),
    _link(
        "net-bridge-down",
        "ip link add l{port}-d type bridge; ip link set l{port}-d up; sleep 1; ip link set l{port}-d down",
    ),
    _link("net-address-changed", "ip addr add 198.51.100.9/32 dev l{port}; ip addr del 198.51.100.9/32 dev l{port}"),
    _link("net-mtu-changed", "ip link set l{port} mtu 1400; ip link set l{port} mtu 1500"),
    _link(
        "net-bridge-removed-with-its-port",
        "ip link add l{port}-b type bridge; ip link set l{port} master l{port}-b; ip link set l{port}-b up; sleep 1; ip link del l{port}-b; ip link del l{port}",
    ),
    _net("net-link-of-the-default-route-lost", "ip link set lan0-o down", bad=True, before=_LINK + _ROUTE),
    _net("net-route-lost", "ip route del default", bad=True, before=_LINK + _ROUTE),
    _net(
        "net-route6-lost",
        "ip -6 route del default",
        bad=True,
        before=_LINK
        + "ip -6 addr add 2001:db8::1/64 dev lan0 nodad; ip -6 route add default via 2001:db8::2 dev lan0\n",
    ),
    _net("net-packets-lost", "ip link set lan0-o mtu 576\n" + _FLOOD % (16, 40), bad=True),
    _net("net-resolver-dead", _ASK_ONE, bad=True, before=_names()),
    _net(
        "net-resolver-died",
        "systemctl stop {name}_0",
        bad=True,
        before=_names("127.0.0.1 133") + _ASK_ONE,
        seconds=60,
    ),
    _net(
        "net-one-resolver-dead",
        "printf 'nameserver 127.0.0.1\\nnameserver 127.0.0.9\\n' > /etc/resolv.conf",
        bad=True,
        before=_names("127.0.0.1 133"),
    ),
    _net(
        "net-route-replaced",
        "ip route replace default via 198.51.100.2 dev lan0 metric 5; ip route del default via 198.51.100.2 dev lan0 metric 0",
        bad=False,
        before=_LINK + _ROUTE,
    ),
    _net("net-few-packets-lost", "ip link set lan0-o mtu 576\n" + _FLOOD % (1, 2), bad=False),
    _net("net-much-traffic", _FLOOD % (8, 200), bad=False),
    _net("net-resolver-refuses", _ASK_ONE, bad=False, before=_names("127.0.0.1 133")),
    _net("net-resolver-fails-names", _ASK_ONE, bad=False, before=_names("127.0.0.1 131")),
    _net(
        "net-resolver-of-comments",
        "printf '# nameserver 127.0.0.9\\n; nameserver 127.0.0.8\\n' > /etc/resolv.conf",
        bad=False,
        before=_RESOLVER,
    ),
)

_DPKG: Final = (
    "cp -p /var/lib/dpkg/status /root/dpkg.kept\n"
    "printf 'Package: half-made\\nStatus: %s\\nMaintainer: nobody\\nArchitecture: all\\nVersion: 1\\nDescription: none\\n\\n' >> /var/lib/dpkg/status\n"
)
_WHOLE: Final = "cp -p /root/dpkg.kept /var/lib/dpkg/status; rm -f /run/reboot-required /run/reboot-required.pkgs"
_QUIET: Final = "touch -d '20 minutes ago' /var/lib/dpkg/status\n"


def _packages(name: str, make: str, *, bad: bool = False) -> Scene:
    return Scene(
        name=name,
        component="updates",
        label=reported("job_failed", component="updates") if bad else HARMLESS,
        make=make,
        unmake=_WHOLE,
        owns=("updates",),
        place=ALONE,
    )


_SYNC: Final = "systemd-timesyncd.service"
_CLOCKS: Final = {
    _SYNC: "[Service]\nExecStart=sleep infinity\nRuntimeDirectory=systemd/timesync\n",
}
_HEARD: Final = "/run/systemd/timesync/synchronized"


def _clock(name: str, make: str, *, bad: bool = False, before: str = "") -> Scene:
    return Scene(
        name=name,
        component="clock",
        label=reported("clock_skew", component="clock") if bad else HARMLESS,
        units=_CLOCKS,
        start=(_SYNC,),
        before=before,
        make=make,
        unmake=f"touch {_HEARD}; systemctl stop {_SYNC}",
        owns=("clock",),
        place=ALONE,
    )


_CARELESS: Final = "import os, time\nfor _ in range(%d):\n    if not os.fork(): os._exit(0)\n%s\ntime.sleep(600)\n"


def _zombies(name: str, count: int, then: str = "", *, bad: bool = False) -> Scene:
    return Scene(
        name=name,
        component="processes",
        label=reported("pressure", component="processes") if bad else HARMLESS,
        files={"/root/{name}.py": _CARELESS % (count, then)},
        units={UNIT: service(command="/usr/bin/python3 /root/{name}.py")},
        make="systemctl start $U",
        owns=("processes",),
        place=ALONE,
        watch=12,
    )


_HOSTS: Final = (
    _packages("package-half-configured", _DPKG % "install ok half-configured" + _QUIET, bad=True),
    _packages("package-unpacked", _DPKG % "install ok unpacked" + _QUIET, bad=True),
    _packages("package-half-installed", _DPKG % "install reinstreq half-installed" + _QUIET, bad=True),
    _packages("package-waits-for-triggers", _DPKG % "install ok triggers-pending" + _QUIET, bad=True),
    _packages("package-being-configured", _DPKG % "install ok half-configured"),
    _packages("package-removed-but-configured", _DPKG % "deinstall ok config-files" + _QUIET),
    _packages("package-on-hold", _DPKG % "hold ok installed" + _QUIET),
    _packages(
        "reboot-required",
        "cp -p /var/lib/dpkg/status /root/dpkg.kept; touch /run/reboot-required; echo linux-image > /run/reboot-required.pkgs",
    ),
    _packages("package-database-written", "cp -p /var/lib/dpkg/status /root/dpkg.kept; touch /var/lib/dpkg/status"),
    _clock("clock-not-heard-of-for-hours", f"touch -d '3 hours ago' {_HEARD}", bad=True),
    _clock("clock-not-heard-of-for-two-hours", f"touch -d '2 hours ago' {_HEARD}", bad=True),
    _clock("clock-heard-of-an-hour-ago", f"touch -d '1 hour ago' {_HEARD}"),
    _clock("clock-daemon-restarted", f"touch {_HEARD}; systemctl restart {_SYNC}"),
    _clock(
        "clock-daemon-stopped",
        f"systemctl stop {_SYNC}; mkdir -p /run/systemd/timesync; touch -d '3 hours ago' {_HEARD}",
        before=f"mkdir -p /run/systemd/timesync; touch {_HEARD}\n",
    ),
    _clock("clock-daemon-has-just-started", f"rm -f {_HEARD}; systemctl restart {_SYNC}"),
    _zombies("zombies", 70, bad=True),
    _zombies("zombies-of-two-hundred", 200, bad=True),
    _zombies("zombies-a-few", 20),
    _zombies(
        "zombies-soon-buried", 90, "time.sleep(2)\nwhile True:\n    try: os.waitpid(-1, 0)\n    except OSError: break"
    ),
    Scene(
        name="storm-of-short-processes",
        component="processes",
        label=HARMLESS,
        make="i=0; while [ $i -lt 300 ]; do /bin/true; i=$((i + 1)); done",
        owns=("processes",),
        place=ALONE,
    ),
)

SCENES: Final[tuple[Scene, ...]] = (*_DISKS, *_NETWORKS, *_HOSTS)
