"""Recipes against the real packages: services hang in ways that systemd does not see, are seen and are healed.

All share one host of each release, hang and are healed at the same time: the whole takes as long as the slowest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.system.ward import QUICK, Ward
from tools.throwaway import Host, Release, boot

Record = Mapping[str, str]
Stories = Mapping[str, Sequence[Record]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service with its recipe. `unit` and `component` are those of bookworm, the others of trixie where they differ.

    `hangs`: the processes that stop: `main`, which systemd watches, `workers`, all others, or `all`. `remedy` is what
    helps.
    """

    recipe: str
    package: str
    unit: str
    component: str = ""
    on_trixie: tuple[str, str] = ("", "")
    hangs: str = "main"
    remedy: str = "restart_unit"

    def unit_on(self, release: Release) -> str:
        """The unit whose processes are the service."""
        return (release is Release.TRIXIE and self.on_trixie[0]) or self.unit

    def component_on(self, release: Release) -> str:
        """The component that sees it."""
        return (release is Release.TRIXIE and self.on_trixie[1]) or self.component or self.recipe


SERVICES = (
    Service(recipe="nginx", package="nginx", unit="nginx.service", hangs="workers", remedy="reload_unit"),
    Service(recipe="haproxy", package="haproxy", unit="haproxy.service", hangs="workers"),
    Service(
        recipe="postgresql",
        package="postgresql",
        unit="postgresql@15-main.service",
        component="postgresql-15",
        on_trixie=("postgresql@17-main.service", "postgresql-17"),
    ),
    Service(recipe="mariadb", package="mariadb-server", unit="mariadb.service"),
    Service(recipe="redis", package="redis-server", unit="redis-server.service"),
    Service(recipe="memcached", package="memcached", unit="memcached.service"),
    Service(
        recipe="postfix", package="postfix", unit="postfix@-.service", on_trixie=("postfix.service", ""), hangs="all"
    ),
    Service(recipe="dovecot", package="dovecot-imapd", unit="dovecot.service"),
    Service(recipe="unbound", package="unbound", unit="unbound.service"),
    Service(recipe="ssh", package="openssh-server", unit="ssh.service"),
    Service(recipe="mosquitto", package="mosquitto", unit="mosquitto.service"),
    Service(recipe="vsftpd", package="vsftpd", unit="vsftpd.service"),
)
PACKAGES = (*(service.package for service in SERVICES), "dns-root-data")

_ALL_WITHIN = 90.0

# The tools of PostgreSQL wait 60 s for a server that hangs, those of Dovecot 20 s; haproxy waits 90 s for its workers.
# The others are told to stop by a signal, with which systemd ends their standstill.
_IMPATIENT = ("postgresql@.service", "dovecot.service", "haproxy.service")
_PATIENCE = "[Service]\nTimeoutStopSec=5\n"
# Debian's configuration has no frontend, and nginx has port 80.
_FRONTEND = """
frontend web
    bind 127.0.0.1:8081
    http-request return status 200
"""
_HASTE = '[component."{}"]\ninterval_seconds = 2\ntimeout_seconds = 2\nfailures = 2\nsuccesses = 1\ngrace_seconds = 0\n'
_STOP = {
    "main": 'kill -STOP "$(systemctl show --property=MainPID --value "$1")"',
    "workers": """
        main=$(systemctl show --property=MainPID --value "$1")
        group=/sys/fs/cgroup$(systemctl show --property=ControlGroup --value "$1")
        grep --line-regexp --invert-match "$main" "$group/cgroup.procs" | xargs kill -STOP
    """,
    "all": 'systemctl kill --signal=STOP "$1"',
}


@pytest.fixture(scope="module")
def host(release: Release, deb: Path) -> Iterator[Host]:
    """A host with all the services."""
    with boot(release, deb=deb, extra=PACKAGES) as booted:
        for unit in _IMPATIENT:
            booted.write(f"/etc/systemd/system/{unit}.d/patience.conf", _PATIENCE)
        frontends = booted.read("/etc/haproxy/haproxy.cfg") + _FRONTEND
        booted.write("/etc/haproxy/haproxy.cfg", frontends)
        booted.sh("systemctl daemon-reload; systemctl restart haproxy")
        yield booted


@pytest.fixture(scope="module")
def before(host: Host, release: Release) -> Stories:
    """What healthd told of each component from when the recipes were turned on until it was found well."""
    cursor = host.cursor()
    host.write("/etc/healthd/conf.d/zz-haste.toml", _haste(release))
    names = [service.recipe for service in SERVICES]
    enabled = host.run(["healthctl", "recipe", "enable", *names])
    assert enabled.stdout.splitlines()[0] == f"on, and in force: {', '.join(names)}"
    assert enabled.stderr == ""
    return _told(host, release, cursor, lambda record: record.get("HEALTHD_STATUS") == "healthy")


@pytest.fixture(scope="module")
def after(host: Host, release: Release, before: object) -> Stories:
    """What healthd told of each component from when all services hung until it was healed."""
    cursor = host.cursor()
    for service in SERVICES:
        host.run(["sh", "-euc", _STOP[service.hangs], "stop", service.unit_on(release)])
    return _told(host, release, cursor, lambda record: record["HEALTHD_EVENT"] == "issue_resolved")


def _haste(release: Release) -> str:
    """The recipes' checks as they are, but in a hurry."""
    hurried = "".join(_HASTE.format(service.component_on(release)) for service in SERVICES)
    return f"{QUICK}{hurried}".replace(
        '[component."haproxy"]\n', '[component."haproxy"]\nurl = "http://127.0.0.1:8081/"\n'
    )


def _told(host: Host, release: Release, cursor: str, is_last: Callable[[Record], bool]) -> Stories:
    """The records of each component after `cursor`, in order, until there is a last one of each, or time is over."""
    stories: dict[str, list[Record]] = {service.component_on(release): [] for service in SERVICES}
    missing = set(stories)
    with closing(host.follow(cursor, seconds=_ALL_WITHIN)) as journal:
        for record in journal:
            component = record.get("HEALTHD_COMPONENT", "")
            if "HEALTHD_EVENT" in record and component in stories:
                stories[component].append(record)
                if is_last(record):
                    missing.discard(component)
            if not missing:
                break
    return stories


each_service = pytest.mark.parametrize("service", SERVICES, ids=[service.recipe for service in SERVICES])


@each_service
def test_its_recipe_sees_that_it_serves(service: Service, release: Release, before: Stories) -> None:
    events = [record["HEALTHD_EVENT"] for record in before[service.component_on(release)]]

    assert set(events) == {"component_changed"}


def test_every_recipe_is_listed_and_those_in_use_are_on(host: Host, before: object) -> None:
    listed = {recipe["name"]: recipe for recipe in Ward(host=host).ask("recipe", "list")}

    assert {name for name, recipe in listed.items() if recipe["enabled"]} == {service.recipe for service in SERVICES}
    assert all(listed[service.recipe]["fits"] for service in SERVICES)
    assert not listed["grafana"]["fits"]


def test_what_this_release_does_not_have_is_left_out(host: Host, release: Release, before: object) -> None:
    own, other = ("15", "17") if release is Release.BOOKWORM else ("17", "15")
    seen = Ward(host=host).ask("status")["health_checks"]

    assert f"postgresql-{own}" in seen
    assert f"postgresql-{other}" not in seen


@each_service
def test_hung_it_is_seen_and_healed(service: Service, release: Release, after: Stories) -> None:
    story = after[service.component_on(release)]
    events = [record["HEALTHD_EVENT"] for record in story]
    issues = {record["HEALTHD_ISSUE"].rpartition("/")[2] for record in story if "HEALTHD_ISSUE" in record}
    ends = [record for record in story if record["HEALTHD_EVENT"] == "healing_finished"]

    assert issues == {"probe_failed"}
    assert events.count("issue_opened") == 1
    assert events[-1] == "issue_resolved"
    assert [(record["HEALTHD_ACTION"], record["HEALTHD_OUTCOME"]) for record in ends] == [(service.remedy, "success")]
