"""The package on real hosts: what apt does with it, what stays, what goes, and the units that it brings."""

import hashlib
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.throwaway import Host, Release, boot

TREE = Path(__file__).parents[2]
CONFIGURATION = "/etc/healthd/healthd.toml"
RULE = "/etc/polkit-1/rules.d/60-healthd-units.rules"
CHANGED = "[health]\ncheck_interval_seconds = 17\n"

# What a host gathers anyway, and what is kept on purpose: the user.
_PASSING = (
    "/proc",
    "/sys",
    "/dev",
    "/run",
    "/tmp",
    "/var/tmp",
    "/root",
    "/var/log",
    "/var/cache",
    "/var/lib/apt",
    "/var/lib/dpkg",
)


@pytest.fixture(scope="session")
def newer(deb: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same package with a higher version and another sample configuration."""
    directory = tmp_path_factory.mktemp("newer")
    content = directory / "content"
    subprocess.run(["dpkg-deb", "--raw-extract", deb, content], check=True)
    control = content / "DEBIAN/control"
    control.write_text(re.sub(r"^Version: (.*)$", r"Version: \1+newer", control.read_text(), flags=re.MULTILINE))
    sample = content / CONFIGURATION.lstrip("/")
    sample.write_text(sample.read_text() + "# a line of the newer version\n")
    package = directory / "healthd_newer_all.deb"
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "--build", content, package], check=True, stdout=subprocess.DEVNULL
    )
    return package


@pytest.fixture(scope="module")
def installed(release: Release, deb: Path) -> Iterator[Host]:
    """A host on which an administrator has just run `apt-get install`; nobody changes it."""
    with boot(release) as booted:
        booted.install(deb)
        yield booted


def upgrade(host: Host, package: Path) -> None:
    inside = host.put(package, "/root/newer.deb")
    keep = ["--option", "Dpkg::Options::=--force-confold"]
    host.run(["apt-get", "install", "--yes", *keep, inside], env={"DEBIAN_FRONTEND": "noninteractive"})


def remove(host: Host, *, purge: bool = False) -> None:
    host.run(["apt-get", "purge" if purge else "remove", "--yes", "healthd"])


def configure(host: Host, text: str) -> None:
    """Writes the configuration as an editor does: the file keeps its owner and its mode."""
    host.run(["sh", "-c", f"cat > {CONFIGURATION}"], stdin=text)


def ownership(host: Host, *paths: str) -> list[str]:
    return host.run(["stat", "--format=%a %U:%G", *paths]).stdout.splitlines()


def everything(host: Host) -> set[str]:
    """All paths of the host but those that change by themselves."""
    skip = " -o ".join(f"-path {path}" for path in _PASSING)
    listing = host.sh(rf"find / -xdev \( {skip} \) -prune -o -not -path '*/__pycache__*' -print")
    return set(listing.splitlines())


def crash(host: Host) -> None:
    """Kills the daemon and waits until systemd has brought it back."""
    before = host.show("healthd.service", "InvocationID")["InvocationID"]
    host.run(["systemctl", "kill", "--signal=KILL", "healthd.service"])
    host.await_unit("healthd.service", "active", invocation_other_than=before)


def test_apt_installs_enables_and_starts_it(installed: Host) -> None:
    for unit in ("healthd.service", "healthd.socket"):
        assert installed.show(unit, "ActiveState", "UnitFileState") == {
            "ActiveState": "active",
            "UnitFileState": "enabled",
        }
    assert installed.run(["systemctl", "is-system-running"]).stdout.strip() == "running"
    assert installed.run(["healthctl", "status"]).returncode == 0


def test_the_full_socket_is_for_the_group_and_the_reading_one_for_all(installed: Host) -> None:
    sockets = ["/run/healthd/healthd.sock", "/run/healthd/healthd-read.sock"]
    assert ownership(installed, *sockets) == ["660 root:healthd", "666 root:healthd"]


def test_configuration_and_secrets_are_closed_to_the_world(installed: Host) -> None:
    assert ownership(installed, CONFIGURATION, "/etc/healthd/credentials", "/var/lib/healthd") == [
        "640 root:healthd",
        "700 root:root",
        "700 healthd:healthd",
    ]


def test_the_daemon_runs_as_its_own_user_without_any_capability(installed: Host) -> None:
    pid = installed.show("healthd.service", "MainPID")["MainPID"]
    status = dict(line.split(":\t", 1) for line in installed.read(f"/proc/{pid}/status").splitlines() if ":\t" in line)
    healthd = installed.sh("id --user healthd")
    assert status["Uid"].split() == [healthd] * 4
    assert {status[kind] for kind in ("CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
    assert status["NoNewPrivs"] == "1"


def test_no_file_of_the_package_differs_from_what_was_packed(installed: Host) -> None:
    # Owner and mode of the configuration are changed on purpose; its content is not.
    assert installed.run(["dpkg", "--verify", "healthd"]).stdout == ""


def test_the_journal_explains_the_events_of_healthd(installed: Host) -> None:
    explained = installed.journal("--unit=healthd.service", "--catalog", "HEALTHD_EVENT=daemon_ready")
    assert "Defined-By: healthd" in explained


def test_manual_pages_and_completion_are_there(installed: Host) -> None:
    files = installed.run(["dpkg", "--listfiles", "healthd"]).stdout.split()
    for page in ("man8/healthd.8.gz", "man1/healthctl.1.gz", "man5/healthd.toml.5.gz"):
        assert f"/usr/share/man/{page}" in files
    script = "cd /usr/share/bash-completion; . ./bash_completion; . completions/healthctl; complete -p healthctl"
    assert "healthctl" in installed.run(["bash", "-c", script]).stdout


def test_an_upgrade_keeps_a_changed_configuration(host: Host, newer: Path) -> None:
    configure(host, CHANGED)
    upgrade(host, newer)
    assert host.read(CONFIGURATION) == CHANGED
    assert ownership(host, CONFIGURATION) == ["640 root:healthd"]


def test_an_upgrade_replaces_an_unchanged_configuration_and_keeps_it_closed(host: Host, newer: Path) -> None:
    upgrade(host, newer)
    assert "a line of the newer version" in host.read(CONFIGURATION)
    assert ownership(host, CONFIGURATION) == ["640 root:healthd"]


def test_an_upgrade_restarts_the_running_daemon(host: Host, newer: Path) -> None:
    before = host.show("healthd.service", "InvocationID")["InvocationID"]
    upgrade(host, newer)
    after = host.await_unit("healthd.service", "active", invocation_other_than=before)
    assert after["NRestarts"] == "0"
    assert host.state("healthd.socket") == "active"


def test_an_upgrade_leaves_a_stopped_daemon_stopped(host: Host, newer: Path) -> None:
    host.run(["systemctl", "stop", "healthd.service"])
    upgrade(host, newer)
    assert host.state("healthd.service") == "inactive"


def test_an_upgrade_leaves_a_disabled_daemon_disabled(host: Host, newer: Path) -> None:
    host.run(["systemctl", "disable", "--now", "healthd.service", "healthd.socket"])
    upgrade(host, newer)
    assert host.show("healthd.service", "UnitFileState", "ActiveState") == {
        "ActiveState": "inactive",
        "UnitFileState": "disabled",
    }


def test_the_owner_that_an_administrator_chose_for_the_configuration_stays(host: Host, newer: Path) -> None:
    host.run(["dpkg-statoverride", "--update", "--add", "root", "root", "0644", CONFIGURATION])
    upgrade(host, newer)
    assert ownership(host, CONFIGURATION) == ["644 root:root"]


def test_removal_stops_it_takes_its_grants_and_keeps_the_configuration(host: Host) -> None:
    configure(host, CHANGED)
    remove(host)
    assert host.run(["pgrep", "--exact", "healthd"], check=False).stdout == ""
    assert host.run(["test", "-e", RULE], check=False).returncode == 1
    assert host.run(["ls", "/run/healthd"]).stdout == ""
    assert host.read(CONFIGURATION) == CHANGED


def test_an_installation_after_a_removal_starts_it_with_the_old_configuration(host: Host, deb: Path) -> None:
    configure(host, CHANGED)
    remove(host)
    host.install(deb)
    assert host.state("healthd.service") == "active"
    assert host.read(CONFIGURATION) == CHANGED


def test_purge_leaves_nothing_but_the_user(bare_host: Host, deb: Path) -> None:
    before = everything(bare_host)
    bare_host.install(deb)
    bare_host.run(["healthctl", "recipe", "enable", "ssh", "nginx"])
    assert everything(bare_host) > before
    remove(bare_host, purge=True)
    backups = {"/etc/passwd-", "/etc/shadow-", "/etc/group-", "/etc/gshadow-", "/etc/.pwd.lock"}
    assert everything(bare_host) - before - backups == set()
    assert "healthd" in bare_host.read("/etc/passwd")
    assert bare_host.run(["systemctl", "list-units", "--all", "healthd*", "--no-legend"]).stdout == ""


def test_purge_keeps_a_file_that_the_administrator_wrote(host: Host) -> None:
    host.write("/etc/healthd/conf.d/mine.toml", CHANGED)
    remove(host, purge=True)
    assert host.read("/etc/healthd/conf.d/mine.toml") == CHANGED


def test_its_units_are_sandboxed_well_and_raise_no_complaint(host: Host) -> None:
    for unit in ("healthd.service", "healthd-failed.service"):
        host.run(["systemd-analyze", "security", "--threshold=15", unit])
    verify = ["systemd-analyze", "verify", "--man=no", "healthd.service", "healthd.socket", "healthd-failed.service"]
    done = host.run(verify)
    assert done.stdout + done.stderr == ""


def test_a_wrong_configuration_ends_it_with_78_and_nothing_starts_it_again(host: Host) -> None:
    since = host.cursor()
    configure(host, "[health\n")
    assert host.run(["systemctl", "restart", "healthd.service"], check=False).returncode != 0
    assert host.await_record(since, "PRIORITY=2", "_SYSTEMD_UNIT=healthd-failed.service", seconds=5)
    host.await_unit("healthd.socket", "inactive")
    assert host.run(["healthctl", "status"], check=False).returncode == 3
    assert host.show("healthd.service", "ActiveState", "ExecMainStatus", "NRestarts") == {
        "ActiveState": "failed",
        "ExecMainStatus": "78",
        "NRestarts": "0",
    }


def test_it_starts_with_its_sockets_once_the_configuration_is_mended(host: Host) -> None:
    configure(host, "[health\n")
    host.run(["systemctl", "restart", "healthd.service"], check=False)
    configure(host, CHANGED)
    host.run(["systemctl", "start", "healthd.service"])
    assert host.run(["healthctl", "status"]).returncode == 0


def test_a_stopped_daemon_is_woken_by_a_client_only_if_somebody_opened_its_sockets(host: Host) -> None:
    host.run(["systemctl", "stop", "healthd.service"])
    assert host.run(["healthctl", "status"], check=False).returncode == 3
    assert host.state("healthd.service") == "inactive"

    host.run(["systemctl", "start", "healthd.socket"])
    assert host.state("healthd.service") == "inactive"
    assert host.run(["healthctl", "status"]).stdout.startswith("✔ healthy")
    assert host.state("healthd.service") == "active"


def test_a_killed_daemon_is_back_and_answers(host: Host) -> None:
    crash(host)
    assert host.run(["healthctl", "status"]).returncode == 0


def test_however_often_it_crashes_it_comes_back_and_people_are_told_of_the_third_time(host: Host) -> None:
    for _ in range(7):
        crash(host)
    told = host.records("--unit=healthd-failed.service", "--priority=crit..crit")
    assert len(told) == 1
    assert "healthd on throwaway has failed" in told[0]["MESSAGE"]
    assert host.state("healthd.socket") == "active"


def test_the_autopkgtest_of_the_package_passes(host: Host) -> None:
    script = host.put(TREE / "debian/tests/heals-a-killed-unit", "/root/heals-a-killed-unit", mode=0o755)
    done = host.run([script])
    assert done.stdout.splitlines()[-1] == "healed"
    assert done.stderr == ""  # autopkgtest takes a word there for a failure


def test_built_again_at_another_place_and_hour_it_is_the_same(deb: Path, tmp_path: Path) -> None:
    (source,) = deb.parent.glob("healthd_*.tar.xz")
    subprocess.run(["tar", "--extract", "--file", source, "--directory", tmp_path], check=True)
    (tree,) = tmp_path.iterdir()
    build = "umask 077; TZ=Asia/Tokyo PATH=/usr/sbin:/usr/bin:/sbin:/bin dpkg-buildpackage --build=binary --no-sign"
    subprocess.run(["sh", "-c", build], cwd=tree, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    again = tmp_path / deb.name
    assert hashlib.sha256(again.read_bytes()).digest() == hashlib.sha256(deb.read_bytes()).digest()
