"""What the two programs load, while they run: memory and start-up time are decided by imports.

The daemon runs without a bus here, serves a few requests and is stopped.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from healthd.lean import POSTPONED
from tests.contract.source import ROOT, within

if TYPE_CHECKING:
    from collections.abc import Sequence

DEADLINE: Final = 30.0
PROGRAM: Final = Path(__file__).with_name("run_and_list.py")

FOREIGN: Final = (
    *("click", "prometheus_client", "uvicorn", "starlette", "fastapi", "aiohttp", "httpx", "requests"),
    *("urllib3", "apprise", "dbus_fast", "psutil", "structlog", "pydantic", "yaml", "attr", "tomllib"),
)
"""Libraries that a part of the field carries and no program of ours does."""

TEMPTING: Final = ("rich", "better_exceptions", "colorama", "greenlet", "twisted")
"""Libraries that others take along where a host happens to have them."""

STAND_IN: Final = """
class Anything(str):
    def __getattr__(self, name):
        return Anything()

def __getattr__(name):
    return Anything()
"""

NOT_IN_THE_DAEMON: Final = (
    *FOREIGN,
    *TEMPTING,
    *("ssl", "_ssl", "_hashlib", "email", "http.client", "http.server", "urllib.request", "urllib.error", "smtplib"),
    *("xml", "html", "csv", "unittest", "doctest", "pdb", "multiprocessing", "concurrent.futures.process", "ctypes"),
    *("statistics", "fractions", "decimal", "pickle", "difflib"),
    *("healthd.net.http", "healthd.net.tls", "healthd.net.x509"),
    *("healthd.checks.http", "healthd.checks.metrics", "healthd.checks.exec", "healthd.formats.exposition"),
    *("sqlite3.dump", "zipfile", "tarfile", "cProfile", "tracemalloc", "importlib.metadata", "pytest"),
    *("healthd.cli", "healthd.config.reference", "healthd.config.rule", "healthd.ports"),
    *("uuid", "platform", "random", "pkgutil", "stringprep", "http", "systemd.journal"),
    *(name for name in POSTPONED if name != "locale"),  # argparse wants it, for the options that this test gives
)

NOT_IN_THE_CLIENT: Final = (
    *NOT_IN_THE_DAEMON[: NOT_IN_THE_DAEMON.index("healthd.cli")],
    *("asyncio", "concurrent", "logging", "jeepney", "sqlite3", "systemd", "sdnotify", "tomli"),
    *("subprocess", "threading", "http", "platform", "healthd.config", "healthd.daemon", "healthd.ports"),
    *("healthd.systemd", "healthd.expose", "healthd.decide", "healthd.record"),
)
"""`healthctl status` is a process of its own each time it is called: it waits for nobody's imports."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """The modules of a program that has run. `kept_out`: those that were barred before anything could ask for them.

    `unread`: those that were asked for, but of which nothing was wanted.
    """

    loaded: tuple[str, ...]
    kept_out: tuple[str, ...]
    unread: tuple[str, ...]

    def among(self, names: Sequence[str]) -> list[str]:
        """Those that are one of these, or belong to one."""
        return [name for name in self.loaded if within(name, *names)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A daemon that has run, and a client that asked it for the status while it did."""

    daemon: Loaded
    client: Loaded
    answer: str


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    scratch = tmp_path_factory.mktemp("lean")
    environment = _environment(scratch)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified:
        notified.bind(environment["NOTIFY_SOCKET"])
        notified.settimeout(1)
        daemon = _start(scratch, environment)
        try:
            _wait_until_ready(daemon, notified, scratch / "log")
            status = _ask(scratch, environment, "status", "--json")
            _ask(scratch, environment, "doctor", "--json")
            _ask(scratch, environment, "check", "services")
            _ask(scratch, environment, "config", "show")
            daemon.send_signal(signal.SIGTERM)
            assert daemon.wait(DEADLINE) == 0
        finally:
            daemon.kill()
            daemon.wait()
    client = _read(scratch / "client-status")
    return Run(daemon=_read(scratch / "daemon"), client=client, answer=status)


def _environment(scratch: Path) -> dict[str, str]:
    """No bus, no journal, a state directory of its own, and libraries that load if nothing keeps them out."""
    libraries = scratch / "libraries"
    for name in TEMPTING:
        (libraries / name).mkdir(parents=True)
        (libraries / name / "__init__.py").write_text(STAND_IN, encoding="utf-8")
    return {
        **{name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")},
        "PYTHONPATH": f"{ROOT}:{libraries}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={scratch}/no-bus",
        "NOTIFY_SOCKET": str(scratch / "notify"),
        "STATE_DIRECTORY": str(scratch),
    }


def _start(scratch: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    config = scratch / "healthd.toml"
    config.touch(mode=0o600)
    command: list[str | Path] = [sys.executable, PROGRAM, scratch / "daemon", "daemon", scratch / "healthd.sock"]
    with (scratch / "log").open("wb") as log:
        return subprocess.Popen([*command, "--config", config, "--foreground-log"], env=environment, stderr=log)


def _wait_until_ready(daemon: subprocess.Popen[bytes], notified: socket.socket, log: Path) -> None:
    deadline = time.monotonic() + DEADLINE
    while daemon.poll() is None and time.monotonic() < deadline:
        with suppress(TimeoutError):
            if b"READY=1" in notified.recv(4096):
                return
    pytest.fail(f"the daemon did not become ready:\n{log.read_text(encoding='utf-8')}")


def _ask(scratch: Path, environment: dict[str, str], verb: str, *rest: str) -> str:
    """What healthctl prints, whatever it says: without a bus there is nothing good to be said."""
    command: list[str | Path] = [sys.executable, PROGRAM, scratch / f"client-{verb}", "client", verb, *rest]
    command += ["--socket", scratch / "healthd.sock"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert "Traceback" not in done.stderr
    return done.stdout


def _read(path: Path) -> Loaded:
    found = json.loads(path.read_text(encoding="utf-8"))
    return Loaded(loaded=tuple(found["loaded"]), kept_out=tuple(found["kept_out"]), unread=tuple(found["unread"]))


def test_the_daemon_loads_nothing_that_it_does_not_need(run: Run) -> None:
    assert run.daemon.among(NOT_IN_THE_DAEMON) == []


def test_the_daemon_bars_tls_before_a_library_can_ask_for_it(run: Run) -> None:
    assert {"ssl", "_hashlib"} <= set(run.daemon.kept_out)


def test_what_is_postponed_is_still_asked_for_by_somebody(run: Run) -> None:
    assert [name for name in POSTPONED if name not in (*run.daemon.unread, *run.daemon.loaded)] == []


def test_the_daemon_runs_on_its_own_libraries(run: Run) -> None:
    own = ("asyncio", "h11", "jeepney", "sdnotify", "sqlite3", "tomli", "healthd.daemon")

    assert [name for name in own if name not in run.daemon.loaded] == []


def test_healthctl_status_loads_no_more_than_it_takes_to_ask_and_to_print(run: Run) -> None:
    assert "overall_score" in json.loads(run.answer)
    assert run.client.among(NOT_IN_THE_CLIENT) == []
