from __future__ import annotations

import asyncio
import signal
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from healthd.cli.client import Refused
from tests.integration.daemon_process import PATIENCE, Daemon, daemon
from tests.integration.fake_systemd import FakeSystemd
from tests.integration.private_bus import private_bus

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

# The units that systemd enables on the machine of the test are not the test's: it watches its own by their names.
WEB = '[services."web.service"]\nheal = true\n[services."mail.service"]\nheal = true\n'
QUICK = "[health]\ncheck_interval_seconds = 0.4\nhealth_timeout_seconds = 0.4\n"
WRONG = '[health]\ncheck_interval_seconds = "often"\nhealth_timeout = 3\n'
KILLED = {"active": "failed", "sub": "failed", "result": "signal", "code": 2, "status": 9}

BOOTED = "from healthd import daemon; daemon.runs_under_systemd = lambda: True"
# Between two turns these end the life of the pipeline; the third turn is after READY.
STUCK = """
from healthd.pipeline import Pipeline
turn = Pipeline.turn
async def stuck(self, group):
    if self._rounds >= 3:
        {how}
    await turn(self, group)
Pipeline.turn = stuck
"""
DIES_AT_DISPATCH = """
from healthd.heal import Healer
Healer.dispatch = lambda self, key, attempt: os.kill(os.getpid(), 9)
"""
HANGING_CHECK = """
import asyncio, dataclasses
import healthd.checks.services as services
async def hang(ports, options, names):
    await asyncio.Event().wait()
services.CHECK = dataclasses.replace(services.CHECK, sample=hang)
"""


def on_a_host(scene: Callable[[FakeSystemd, Path], Awaitable[None]]) -> Callable[[Path], None]:
    """Make a test of a coroutine function: a bus runs, and on it a systemd with two services that do."""

    def test(tmp_path: Path) -> None:
        with private_bus(tmp_path):
            asyncio.run(_with_systemd(scene, tmp_path))

    test.__name__ = getattr(scene, "__name__", "test")
    return test


async def _with_systemd(scene: Callable[[FakeSystemd, Path], Awaitable[None]], directory: Path) -> None:
    systemd = FakeSystemd()
    systemd.add("web.service", "mail.service")
    await systemd.start()
    try:
        async with asyncio.timeout(2 * PATIENCE):
            await scene(systemd, directory)
    finally:
        await systemd.stop()


@asynccontextmanager
async def healthd(directory: Path, config: str = WEB, **started: object) -> AsyncIterator[Daemon]:
    """A daemon that is ready."""
    async with daemon(directory, config, **started) as running:  # type: ignore[arg-type]
        await running.manager.until_told("READY")
        yield running


@on_a_host
async def test_it_is_ready_only_when_all_units_have_been_judged(systemd: FakeSystemd, directory: Path) -> None:
    await systemd.tell("mail.service", **KILLED)
    systemd.held = []

    async with daemon(directory, WEB, hook=BOOTED) as running:
        await systemd.until_asked("Get")
        await running.manager.silent(1.0)
        assert running.manager.told == []
        await systemd.release()
        ready = await running.manager.hear()

    assert ready["READY"] == "1"
    assert "1 of 2 units is not well: mail.service" in ready["STATUS"]


@on_a_host
async def test_the_status_line_follows_the_units(systemd: FakeSystemd, directory: Path) -> None:
    async with healthd(directory) as running:
        assert running.manager.told[-1]["STATUS"] == "healthy, score 1.00 - services: 2 units, all well"
        systemd.how_jobs_end = None
        await systemd.tell("web.service", **KILLED)
        said = await running.manager.until_status("web.service")

    assert said["STATUS"].startswith("auto_healing, score 0.")
    assert said["STATUS"].endswith(" - services: 1 of 2 units is not well: web.service")


@on_a_host
async def test_a_killed_unit_is_started_and_the_issue_is_open_until_it_has_settled(
    systemd: FakeSystemd, directory: Path
) -> None:
    async with healthd(directory, WEB + "[auto_healing]\nsettle_seconds = 0.2\n") as running:
        systemd.comes_up = {"active": "active", "sub": "running", "result": "success", "invocation": "11" * 16}
        await systemd.tell("web.service", **KILLED)
        story = [record["HEALTHD_EVENT"] for record in await _until_logged(running, "issue_resolved")]

    told = ["issue_opened", "healing_started", "healing_finished", "issue_resolved"]
    assert [event for event in story if event.startswith(("issue", "healing"))] == told


def test_a_wrong_configuration_ends_it_with_78_and_every_problem_on_stderr(tmp_path: Path) -> None:
    async def scene() -> None:
        async with daemon(tmp_path, WRONG) as running:
            assert await running.ended() == 78
            assert running.manager.told == []
            lines = running.stderr().splitlines()
            assert [line.partition(": ")[0] for line in lines] == [f"{running.config}:2", f"{running.config}:3"]

    asyncio.run(scene())


@on_a_host
async def test_sighup_reads_the_configuration_again(systemd: FakeSystemd, directory: Path) -> None:
    async with healthd(directory) as running:
        running.configure(WEB + "[auto_healing]\ndry_run = true\n")
        running.process.send_signal(signal.SIGHUP)
        begun = await running.manager.until_told("RELOADING")
        ended = await running.manager.until_told("READY")
        tables = await running.get("/api/v1/config")

    assert int(begun["MONOTONIC_USEC"]) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    assert ended["READY"] == "1"
    assert tables["auto_healing"]["dry_run"] is True


@on_a_host
async def test_a_wrong_configuration_is_refused_with_every_problem_and_the_old_one_stays(
    systemd: FakeSystemd, directory: Path
) -> None:
    async with healthd(directory, WEB + "[auto_healing]\ndry_run = true\n") as running:
        running.configure(WRONG)
        with pytest.raises(Refused) as caught:
            await running.post("/api/v1/apply", {})
        await running.manager.until_told("RELOADING")
        await running.manager.until_told("READY")
        tables = await running.get("/api/v1/config")
        (rejected,) = [one for one in running.records() if one["HEALTHD_EVENT"] == "config_rejected"]

    assert caught.value.status == 422
    assert len(caught.value.problems) == 2
    assert "check_interval_seconds" in rejected["MESSAGE"]
    assert "health_timeout" in rejected["MESSAGE"]
    assert tables["auto_healing"]["dry_run"] is True


@on_a_host
async def test_a_hang_up_before_it_is_ready_is_obeyed_when_it_is(systemd: FakeSystemd, directory: Path) -> None:
    systemd.held = []

    async with daemon(directory, WEB, hook=BOOTED) as running:
        await systemd.until_asked("Get")
        running.configure(WEB + "[auto_healing]\ndry_run = true\n")
        running.process.send_signal(signal.SIGHUP)
        await systemd.release()
        await running.manager.until_told("RELOADING")
        first = running.manager.told[0]
        await running.manager.until_told("READY")

    assert first["READY"] == "1"


@on_a_host
async def test_sigterm_ends_it_within_a_second(systemd: FakeSystemd, directory: Path) -> None:
    async with healthd(directory) as running:
        await _stops_at_once(running)
        assert running.records()[-1]["HEALTHD_EVENT"] == "daemon_stopping"


@on_a_host
async def test_sigterm_ends_it_within_a_second_while_an_action_is_in_flight(
    systemd: FakeSystemd, directory: Path
) -> None:
    systemd.how_jobs_end = None

    async with healthd(directory) as running:
        await systemd.tell("web.service", **KILLED)
        await systemd.until_asked("StartUnit")
        await _stops_at_once(running)


@on_a_host
async def test_sigterm_ends_it_within_a_second_before_it_is_ready(systemd: FakeSystemd, directory: Path) -> None:
    systemd.held = []

    async with daemon(directory, WEB, hook=BOOTED) as running:
        await systemd.until_asked("Get")
        await _stops_at_once(running)

    assert all("READY" not in message for message in running.manager.told)


async def _stops_at_once(running: Daemon) -> None:
    asked = time.monotonic()
    running.process.send_signal(signal.SIGTERM)
    await running.manager.until_told("STOPPING")
    assert await running.ended() == 0
    assert time.monotonic() - asked < 1.0


@on_a_host
async def test_the_watchdog_is_fed_while_rounds_get_finished(systemd: FakeSystemd, directory: Path) -> None:
    async with healthd(directory, QUICK, watchdog=0.9) as running:
        began = time.monotonic()
        for _ in range(4):
            await running.manager.until_told("WATCHDOG")
        took = time.monotonic() - began

    assert took >= 0.5  # in a rhythm, not as fast as it can


@on_a_host
async def test_a_check_that_hangs_is_unknown_and_no_reason_to_be_killed(systemd: FakeSystemd, directory: Path) -> None:
    async with daemon(directory, QUICK, hook=HANGING_CHECK, watchdog=0.9) as running:
        ready = await running.manager.until_told("READY")
        for _ in range(6):
            await running.manager.until_told("WATCHDOG")

    assert ready["STATUS"].endswith("services: no reading within 0.4 s")


@pytest.mark.parametrize(
    "how",
    [
        pytest.param("import asyncio; await asyncio.Event().wait()", id="waits-for-ever"),
        pytest.param("import threading; lock = threading.Lock(); lock.acquire(); lock.acquire()", id="dead-locked"),
        pytest.param("while True: pass", id="spins"),
    ],
)
def test_a_stuck_daemon_does_not_feed_the_watchdog(how: str, tmp_path: Path) -> None:
    async def scene() -> None:
        async with daemon(tmp_path, QUICK, hook=STUCK.format(how=how), watchdog=0.9) as running:
            await running.manager.until_told("READY")
            await running.manager.until_told("WATCHDOG")
            await running.manager.silent(3 * 0.9)
            assert running.process.returncode is None

    asyncio.run(scene())


def test_without_systemd_it_runs_in_the_foreground_and_says_what_is_off(tmp_path: Path) -> None:
    async def scene() -> None:
        async with daemon(tmp_path, notify=False, sockets=False) as running:
            records = await _until_logged(running, "daemon_ready")
            off = {one.get("HEALTHD_REASON") for one in records if one["HEALTHD_EVENT"] == "feature_off"}
            assert off - {None} == {"no_socket_unit", "no_notify", "no_bus"}  # and what this machine lacks
            assert "watches nothing yet" in records[-1]["MESSAGE"]
            assert (await running.get("/api/v1/status"))["health_checks"]["services"]["status"] == "unknown"
            running.process.send_signal(signal.SIGINT)
            assert await running.ended() == 0

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/no-bus")
        asyncio.run(scene())

    assert not list(tmp_path.glob("*.sock"))


async def _until_logged(running: Daemon, event: str) -> list[dict[str, str]]:
    while not any(one["HEALTHD_EVENT"] == event for one in running.records()):
        assert running.process.returncode is None, running.stderr()
        await asyncio.sleep(0.05)  # a file tells nobody that it has grown
    return running.records()


@on_a_host
async def test_an_attempt_that_was_killed_at_its_dispatch_counts_at_the_next_start(
    systemd: FakeSystemd, directory: Path
) -> None:
    async with healthd(directory, hook=DIES_AT_DISPATCH) as running:
        await systemd.tell("web.service", **KILLED)
        assert await running.ended() == -signal.SIGKILL

    async with healthd(directory) as running:
        (issue,) = await running.get("/api/v1/issues")

    assert (issue["item"], issue["attempts"], issue["hold"]) == ("web.service", 1, "cooldown")
    assert systemd.asked("StartUnit") == 0


@on_a_host
async def test_a_task_that_breaks_ends_the_whole_daemon_with_a_traceback(systemd: FakeSystemd, directory: Path) -> None:
    async with daemon(directory, QUICK, hook=STUCK.format(how='raise LookupError("a bug")')) as running:
        assert await running.ended() == 1
        assert "LookupError: a bug" in running.stderr()
