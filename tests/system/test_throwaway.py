"""The hosts that this tier stands on: pristine, apart from each other and from this machine, gone without a trace."""

import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tools.throwaway import CommandFailed, Host, Release, boot, boot_vm

TREE = Path(__file__).parents[2]

HOLD = """
import sys
from tools.throwaway import Release, boot
with boot(Release(sys.argv[1])) as host:
    print(host.root.parent, flush=True)
    sys.stdin.read()
"""

SERVE = """
import functools, http.server
handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory="/root")
server = http.server.HTTPServer(("127.0.0.1", 8123), handler)
print("up", flush=True)
server.handle_request()
"""


def traces(name: str) -> list[str]:
    """What this machine still has of the host called `name`: mounts, control groups, processes."""
    found = [line for line in Path("/proc/self/mounts").read_text().splitlines() if name in line]
    found += [str(path) for where in ("", "*/") for path in Path("/sys/fs/cgroup").glob(where + name)]
    processes = subprocess.run(["pgrep", "--full", name], capture_output=True, text=True, check=False)
    return found + processes.stdout.split()


class Fault(Exception):
    """Something that goes wrong while a host is up; its text is the host's directory on this machine."""


def go_wrong_in_a_host(release: Release) -> None:
    with boot(release) as host:
        place = host.root.parent
        assert traces(place.name)
        raise Fault(place)


def test_a_host_leaves_nothing_behind_when_something_goes_wrong(release: Release) -> None:
    with pytest.raises(Fault) as fault:
        go_wrong_in_a_host(release)
    place = Path(str(fault.value))
    assert not place.exists()
    assert traces(place.name) == []


def test_what_the_owner_of_a_host_left_when_it_was_killed_is_swept_up_by_the_next_host(release: Release) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", HOLD, release], cwd=TREE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with owner:
        place = Path((owner.stdout or pytest.fail("no output")).readline().strip())
        assert place.exists()
        os.kill(owner.pid, signal.SIGKILL)
    with boot(release):
        assert not place.exists()
        assert traces(place.name) == []


def test_a_reboot_keeps_the_disk_and_nothing_else(bare_host: Host) -> None:
    bare_host.write("/root/kept", "kept\n")
    bare_host.write("/run/lost", "lost\n")
    first = bare_host.read("/proc/sys/kernel/random/boot_id")
    for cleanly in (True, False):
        bare_host.reboot(cleanly=cleanly)
        assert bare_host.read("/root/kept") == "kept\n"
        assert bare_host.run(["test", "-e", "/run/lost"], check=False).returncode == 1
        assert bare_host.read("/proc/sys/kernel/random/boot_id") != first


def test_a_port_of_the_private_network_is_reached_through_a_forwarded_one(bare_host: Host) -> None:
    bare_host.write("/root/page", "from inside")
    with subprocess.Popen(
        bare_host.enter(["python3", "-c", SERVE]), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert (process.stdout or pytest.fail("no output")).readline() == "up\n"
        with bare_host.forward(8123) as port, urllib.request.urlopen(f"http://127.0.0.1:{port}/page") as answer:
            assert answer.read() == b"from inside"


def test_a_command_that_fails_tells_what_it_said(bare_host: Host) -> None:
    with pytest.raises(CommandFailed, match="ended with status 3:\nwhy") as failure:
        bare_host.run(["sh", "-c", "echo why >&2; exit 3"])
    assert failure.value.returncode == 3


def test_waiting_for_a_state_that_does_not_come_names_the_state_that_is(bare_host: Host) -> None:
    with pytest.raises(TimeoutError, match=r"dbus\.service is active"):
        bare_host.await_unit("dbus.service", "failed", seconds=0.5)


def test_a_virtual_machine_does_as_it_is_told_and_leaves_nothing_behind(deb: Path) -> None:
    with boot_vm(Release.BOOKWORM, deb=deb) as vm:
        assert vm.run(["sh", "-c", "cat; echo why >&2; exit 3"], stdin="hello", check=False).stdout == "hello"
        with pytest.raises(CommandFailed, match="ended with status 3:\nwhy"):
            vm.run(["sh", "-c", "echo why >&2; exit 3"])
        with pytest.raises(subprocess.TimeoutExpired):
            vm.run(["sleep", "1234"], seconds=3)
        assert vm.sh("while pgrep -f 'sleep 123[4]'; do sleep 0.1; done", seconds=30) == ""
        assert vm.show("dbus.service", "MemoryCurrent")["MemoryCurrent"].isdigit()
        (directory,) = {Path(word).parent for word in vm.enter(["true"]) if word.endswith("/lender")}
        assert traces(directory.name)
    assert not directory.exists()
    assert traces(directory.name) == []
