"""Least privilege: what the daemon may do to this host, and how that follows the configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.system.units import service
from tests.system.ward import QUICK, Ward
from tools.throwaway import Release

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Sequence

    from tools.throwaway import Host

RULE = "/etc/polkit-1/rules.d/60-healthd-units.rules"
REFUSALS = ("Permission denied", "Access denied", "nteractive authentication required", "not authorized")
MANAGER = ("org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager")


@pytest.fixture(scope="module")
def ward(shared_host: Host) -> Ward:
    made = Ward(host=shared_host)
    made.configure(QUICK)
    return made


@pytest.fixture(scope="module")
def unit(ward: Ward) -> str:
    """A service that healthd is allowed to act on."""
    return ward.add(service("sleep infinity", "ExecReload=/bin/true"))


def as_daemon(ward: Ward, *call: str) -> subprocess.CompletedProcess[str]:
    """Makes a call to systemd's manager as the daemon would: as its user and out of its service."""
    enter = "echo $$ > /sys/fs/cgroup/system.slice/healthd.service/cgroup.procs; "
    become = 'exec setpriv --reuid=healthd --regid=healthd --init-groups busctl call "$@"'
    return ward.host.run(["sh", "-euc", enter + become, "call", *MANAGER, *call], check=False)


def is_refused(done: subprocess.CompletedProcess[str]) -> bool:
    return done.returncode != 0 and any(word in done.stderr for word in REFUSALS)


def test_the_daemon_is_an_ordinary_user_without_any_power_over_the_kernel(ward: Ward) -> None:
    pid = ward.host.show("healthd", "MainPID")["MainPID"]
    status = dict(line.split(":\t", 1) for line in ward.host.read(f"/proc/{pid}/status").splitlines() if ":\t" in line)

    assert ward.host.sh(f"stat --format=%U /proc/{pid}") == "healthd"
    assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == int(status["CapAmb"], 16) == 0
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"


def test_the_daemon_has_no_tls_library_in_its_memory(ward: Ward) -> None:
    pid = ward.host.show("healthd", "MainPID")["MainPID"]

    assert "ssl" not in ward.host.read(f"/proc/{pid}/maps")


def test_the_sandbox_scores_as_promised(ward: Ward) -> None:
    verdict = ward.host.sh("systemd-analyze security --no-pager healthd.service").splitlines()[-1]

    assert float(verdict.split("healthd.service:")[1].split()[0]) <= 1.5


@pytest.mark.parametrize(
    ("verb", "arguments"),
    [
        ("StartUnit", ("ss", "{unit}", "replace")),
        ("RestartUnit", ("ss", "{unit}", "replace")),
        ("ReloadUnit", ("ss", "{unit}", "replace")),
        ("ResetFailedUnit", ("s", "{unit}")),
        ("ReloadUnit", ("ss", "healthd.service", "replace")),
        ("StartUnit", ("ss", "demo-made-later.service", "replace")),
    ],
    ids=["start", "restart", "reload", "reset-failed", "reload-of-itself", "start-of-a-unit-made-later"],
)
def test_what_healing_takes_is_granted(ward: Ward, unit: str, verb: str, arguments: Sequence[str]) -> None:
    if "demo-made-later.service" in arguments:
        ward.add(name="demo-made-later.service", enable=False, start=False)
    done = as_daemon(ward, verb, *(argument.format(unit=unit) for argument in arguments))

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("verb", "arguments"),
    [
        ("StopUnit", ("ss", "{unit}", "replace")),
        ("KillUnit", ("ssi", "{unit}", "all", "9")),
        ("SetUnitProperties", ("sba(sv)", "{unit}", "true", "1", "CPUWeight", "t", "1")),
        ("StartTransientUnit", ("ssa(sv)a(sa(sv))", "evil.service", "replace", "0", "0")),
        ("EnableUnitFiles", ("asbb", "1", "{unit}", "false", "false")),
        ("DisableUnitFiles", ("asb", "1", "{unit}", "false")),
        ("MaskUnitFiles", ("asbb", "1", "{unit}", "true", "false")),
        ("FreezeUnit", ("s", "{unit}")),
        ("CleanUnit", ("sas", "{unit}", "1", "all")),
        ("Reload", ()),
        ("Reexecute", ()),
        ("PowerOff", ()),
        ("SetEnvironment", ("as", "1", "LD_PRELOAD=/tmp/evil.so")),
        ("EnqueueUnitJob", ("sss", "{unit}", "start", "replace")),
        ("StartUnit", ("ss", "poweroff.target", "replace")),
        ("StartUnit", ("ss", "systemd-poweroff.service", "replace")),
        ("StartUnit", ("ss", "debug-shell.service", "replace")),
        ("StartUnit", ("ss", "rescue.service", "replace")),
        ("RestartUnit", ("ss", "dbus.service", "replace")),
        ("RestartUnit", ("ss", "systemd-journald.service", "replace")),
        ("RestartUnit", ("ss", "healthd.service", "replace")),
        ("StartUnit", ("ss", "user@0.service", "replace")),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value[1:2]),
)
def test_nothing_else_is_granted(ward: Ward, unit: str, verb: str, arguments: Sequence[str]) -> None:
    before = ward.host.show(unit, "ActiveState", "InvocationID", "UnitFileState")
    done = as_daemon(ward, verb, *(argument.format(unit=unit) for argument in arguments))

    assert is_refused(done), done
    assert ward.host.show(unit, "ActiveState", "InvocationID", "UnitFileState") == before


def test_the_user_gets_nothing_outside_of_the_daemon_where_polkit_can_tell(ward: Ward, unit: str) -> None:
    elsewhere = ["systemd-run", "--quiet", "--pipe", "--wait", "--uid=healthd", "busctl", "call", *MANAGER]
    done = ward.host.run([*elsewhere, "RestartUnit", "ss", unit, "replace"], check=False)

    assert is_refused(done) == (ward.host.release is not Release.BOOKWORM)


def test_the_grant_follows_a_reloaded_configuration(ward: Ward, unit: str) -> None:
    restart = ("RestartUnit", "ss", unit, "replace")
    with ward.under(f'[auto_healing]\nprotect = ["{unit}"]\n'):
        assert is_refused(as_daemon(ward, *restart))
    assert as_daemon(ward, *restart).returncode == 0
    with ward.under('[auto_healing]\nallow = ["nginx.service"]\n'):
        assert is_refused(as_daemon(ward, *restart))
    assert as_daemon(ward, *restart).returncode == 0


def test_a_reload_of_an_invalid_configuration_fails_and_changes_nothing(ward: Ward, unit: str) -> None:
    rule, settings = ward.host.read(RULE), ward.ask("config", "show")
    pid, cursor = ward.host.show("healthd", "MainPID"), ward.host.cursor()
    ward.host.write(
        "/etc/healthd/conf.d/90-wrong.toml", "[health]\nchek_interval_seconds = 1\n[auto_healing]\nallow = 7\n"
    )
    reload = ward.host.run(["systemctl", "reload", "healthd"], check=False)
    rejected = ward.await_event(cursor, "config_rejected")

    assert reload.returncode != 0
    assert "check_interval_seconds" in rejected["MESSAGE"]
    assert "90-wrong.toml" in rejected["MESSAGE"]
    assert "allow" in rejected["MESSAGE"]
    assert ward.host.read(RULE) == rule
    assert ward.ask("config", "show") == settings
    assert ward.host.show("healthd", "MainPID") == pid
    assert as_daemon(ward, "RestartUnit", "ss", unit, "replace").returncode == 0
    assert ward.healthctl("config", "check").returncode != 0
    ward.host.sh("rm /etc/healthd/conf.d/90-wrong.toml; systemctl reload healthd")


def test_a_start_with_an_invalid_configuration_ends_with_78_and_leaves_no_grant(host: Host) -> None:
    ward = Ward(host=host)
    unit = ward.add()
    host.write("/etc/healthd/conf.d/90-wrong.toml", "[health\n")
    host.run(["systemctl", "restart", "healthd"], check=False)
    host.await_unit("healthd", "failed")
    done = host.run(["busctl", "call", *MANAGER, "RestartUnit", "ss", unit, "replace"], user="healthd", check=False)

    assert is_refused(done)
    assert host.show("healthd", "ExecMainStatus", "NRestarts") == {"ExecMainStatus": "78", "NRestarts": "0"}
    assert "90-wrong.toml" in host.journal("--unit=healthd")
    host.sh("rm /etc/healthd/conf.d/90-wrong.toml; systemctl start healthd")
    assert as_daemon(ward, "RestartUnit", "ss", unit, "replace").returncode == 0
