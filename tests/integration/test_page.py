"""The page in a real browser, before a daemon that runs."""

from __future__ import annotations

import asyncio
import json
import os
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import pytest

from tests.integration import browser as chromium
from tests.integration.daemon_process import daemon
from tests.integration.fake_systemd import FakeSystemd
from tests.integration.private_bus import private_bus
from tests.integration.tcp_front import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.browser import Tab

KEY: Final = "healthd_of_this_test"
CONFIG: Final = """
[health]
auto_healing_enabled = false
[services]
watch = ["web.service"]
[http]
listen = ["127.0.0.1:{port}"]
metrics_listen = []
"""
KEYS_HERE: Final = """
import pathlib
import healthd.config.keys
healthd.config.keys.KEYS_FILE = pathlib.Path({path!r})
"""
SECONDS: Final = 90
ASKED: Final = "document.getElementById('ask')?.hidden === false"
SHOWN: Final = "document.getElementById('f-budget') && document.getElementById('units').rows.length"
DOWN: Final = "document.getElementById('issues').textContent.includes('service down')"
LOST: Final = "document.getElementById('link').textContent.includes('not live')"
MARKED: Final = "document.marked = true"


@pytest.mark.skipif(chromium.PROGRAM is None, reason="no chromium here: tools/bootstrap browser")
def test_the_page_asks_for_the_key_once_shows_the_host_and_what_changes_and_talks_to_nobody_else(
    tmp_path: Path,
) -> None:
    with private_bus(tmp_path):
        asyncio.run(_looked_at(tmp_path))


async def _looked_at(directory: Path) -> None:
    systemd, port, keys = FakeSystemd(), free_port(), directory / "api-keys"
    keys.write_text(f"reader read sha256:{sha256(KEY.encode()).hexdigest()}\n")
    keys.chmod(0o640)
    systemd.add("web.service")
    await systemd.start()
    hook, config = KEYS_HERE.format(path=str(keys)), CONFIG.format(port=port)
    try:
        async with (
            daemon(directory, config, "--foreground-log", hook=hook, tcp=True, patience=SECONDS) as running,
            chromium.browser(directory) as tab,
        ):
            await running.manager.until_told("READY")
            await _until_served(port)
            await _shows(tab, f"http://127.0.0.1:{port}/", systemd)
            running.process.kill()
            await tab.until(LOST)
    finally:
        await systemd.stop()


async def _until_served(port: int) -> None:
    """Addresses are opened after READY, and nothing is said when that goes well."""
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            await asyncio.sleep(0.02)
        else:
            writer.close()
            return


async def _shows(tab: Tab, address: str, systemd: FakeSystemd) -> None:
    await tab.tell("Page.navigate", url=address)
    await tab.until(ASKED)
    await tab.run(f"document.getElementById('key').value = {json.dumps(KEY)}")
    await tab.run("document.querySelector('#ask button').click()")
    shown = await tab.until(SHOWN)
    assert "healthy" in shown
    assert "web.service" in shown
    assert shown.startswith(f"To the status\nhealthd{os.uname().nodename}\n"), shown

    await tab.run(MARKED)
    await systemd.tell("web.service", active="failed", sub="failed", result="signal", code=2, status=9)
    shown = await tab.until(DOWN)
    assert "unhealthy" in shown
    assert "held, disabled" in shown
    assert await tab.run("document.marked"), "the page was loaded again"

    await tab.tell("Page.reload")
    await tab.until(f"{SHOWN} && !document.marked")
    assert not await tab.run(ASKED), "the key is asked for again"
    assert tab.complaints == []
    assert [url for url in tab.requests if not url.startswith((address, "data:"))] == []
