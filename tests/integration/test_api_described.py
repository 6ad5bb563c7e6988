"""The description of the API is true: schemathesis asks a daemon that runs for everything it says, and for what it does
not, and finds nothing."""

from __future__ import annotations

import asyncio
import os
import sys
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.integration.daemon_process import daemon
from tests.integration.fake_systemd import FakeSystemd
from tests.integration.private_bus import private_bus
from tests.integration.tcp_front import free_port

if TYPE_CHECKING:
    from collections.abc import Sequence

KEY: Final = "healthd_of_this_test"
CONFIG: Final = """
[health]
ready_when = "degraded"
[services]
watch = ["web.service"]
[http]
listen = ["127.0.0.1:{port}"]
metrics_listen = []
rate_limit_per_minute = 0
"""
# What is documented to be away now and then is no fault of the server; a traceback (500) is.
JUDGE: Final = """
[checks.not_a_server_error]
expected-statuses = ["2xx", "4xx", 503]

# A stream has no end that one could wait for; tests/unit/expose/test_live.py looks at it.
[[operations]]
include-path = "/api/v1/events"
enabled = false

# That `since` comes before `until` is no rule that a schema could hold.
[[operations]]
include-path = "/api/v1/history"
[operations.checks.positive_data_acceptance]
enabled = false

# Nor that it is a time at all that a calendar knows.
[[operations]]
include-path = "/api/v1/incidents"
[operations.checks.positive_data_acceptance]
enabled = false

# Nor what a calendar expression is, or that a silence needs a name, or to be of all.
[[operations]]
include-path = "/api/v1/silence"
[operations.checks.positive_data_acceptance]
enabled = false
"""
KEYS_HERE: Final = """
import pathlib
import healthd.config.keys
healthd.config.keys.KEYS_FILE = pathlib.Path({path!r})
"""
SECONDS: Final = 120


def test_schemathesis_finds_nothing_wrong_with_a_daemon_that_runs(tmp_path: Path) -> None:
    with private_bus(tmp_path):
        asyncio.run(_judged(tmp_path))


async def _judged(directory: Path) -> None:
    systemd, port, keys = FakeSystemd(), free_port(), directory / "api-keys"
    keys.write_text(f"judge control sha256:{sha256(KEY.encode()).hexdigest()}\n")
    keys.chmod(0o640)
    (directory / "schemathesis.toml").write_text(JUDGE)
    systemd.add("web.service")
    await systemd.start()
    hook = KEYS_HERE.format(path=str(keys))
    try:
        config = CONFIG.format(port=port)
        async with daemon(directory, config, "--foreground-log", hook=hook, tcp=True, patience=SECONDS) as running:
            await running.manager.until_told("READY")
            code, said = await _run(directory, _command(port))
            log = running.stderr()
    finally:
        await systemd.stop()
    assert code == 0, said
    assert "Traceback" not in log


def _command(port: int) -> Sequence[str]:
    url = f"http://127.0.0.1:{port}/api/v1/openapi.json"
    return (
        str(Path(sys.executable).with_name("schemathesis")),
        *("run", url, "--header", f"Authorization: Bearer {KEY}", "--wait-for-schema", "10"),
        *("--phases", "examples,coverage,fuzzing", "--max-examples", "10", "--generation-deterministic", "--seed", "1"),
        *("--no-color", "--warnings", "off"),
    )


async def _run(directory: Path, command: Sequence[str]) -> tuple[int | None, str]:
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *command, cwd=directory, env=environment, stdout=pipe, stderr=asyncio.subprocess.STDOUT
    )
    try:
        async with asyncio.timeout(SECONDS):
            out, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode, out.decode()
