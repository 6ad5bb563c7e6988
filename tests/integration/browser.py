"""A real browser without a window: Chromium, told what to do through two pipes (its DevTools protocol)."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

PROGRAM: Final = shutil.which("chromium")
_FLAGS: Final = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--remote-debugging-pipe"),
    # Nothing but this machine has an address: whatever the browser itself wants of the world, it does not get.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
_UNTIL: Final = """
new Promise((done) => {
  const look = () => { if (%s) { watcher.disconnect(); done(document.body?.innerText); } };
  const watcher = new MutationObserver(look);
  watcher.observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
  look();
})
"""


@dataclass(slots=True)
class Tab:
    """One page. `requests` are the addresses that it asked for, `complaints` what stands in its console."""

    reader: asyncio.StreamReader
    writer: asyncio.WriteTransport
    session: str = ""
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    _answers: dict[int, asyncio.Future[Any]] = field(default_factory=dict)
    _asked: int = 0

    async def tell(self, method: str, **parameters: object) -> Any:
        """Order something of the protocol, and return what it answers."""
        self._asked += 1
        order: dict[str, object] = {"id": self._asked, "method": method, "params": parameters}
        self._answers[self._asked] = answer = asyncio.get_running_loop().create_future()
        self.writer.write(json.dumps(order | ({"sessionId": self.session} if self.session else {})).encode() + b"\0")
        return await answer

    async def run(self, script: str) -> Any:
        """What this JavaScript evaluates to, once it is there."""
        told = await self._evaluate(script)
        assert "result" in told, told
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    async def until(self, true: str) -> str:
        """Wait until this JavaScript is true after some change of the page; returns the words that are shown then."""
        while "error" in (told := await self._evaluate(_UNTIL % true)):
            pass  # the page that was asked has gone, and another one is there
        assert "exceptionDetails" not in told, told
        return str(told["result"]["value"])

    async def _evaluate(self, script: str) -> Any:
        return await self.tell("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)

    async def listen(self) -> None:
        """Take what the browser says, until it ends."""
        while True:
            try:
                message = json.loads((await self.reader.readuntil(b"\0"))[:-1])
            except asyncio.IncompleteReadError:
                return
            if (answer := self._answers.pop(message.get("id"), None)) is not None:
                answer.set_result(message.get("result", message))
            self._hear(message.get("method"), message.get("params"))

    def _hear(self, method: str | None, said: Any) -> None:
        match method:
            case "Network.requestWillBeSent":
                self.requests.append(said["request"]["url"])
            case "Runtime.exceptionThrown":
                self.complaints.append(json.dumps(said))
            case "Runtime.consoleAPICalled" if said["type"] in ("error", "warning", "assert"):
                self.complaints.append(json.dumps(said))
            case "Log.entryAdded" if said["entry"]["level"] in ("error", "warning"):
                self.complaints.append(said["entry"]["text"])


@asynccontextmanager
async def browser(directory: Path) -> AsyncIterator[Tab]:
    """An empty tab of a browser that has never been used, killed with everything below it at the end."""
    assert PROGRAM, "there is no chromium: tools/bootstrap browser"
    its_in, ours_out = os.pipe()
    ours_in, its_out = os.pipe()
    pipes = f'exec "$@" 3<&{its_in} 4>&{its_out}'
    command = ("bash", "-c", pipes, "bash", PROGRAM, *_FLAGS, f"--user-data-dir={directory / 'profile'}", "about:blank")
    home = {"PATH": os.environ["PATH"], "HOME": str(directory), "LANG": "C.UTF-8", "TZ": "UTC"}
    with (directory / "browser.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *command, env=home, stdout=log, stderr=log, pass_fds=(its_in, its_out), start_new_session=True
        )
    os.close(its_in)
    os.close(its_out)
    loop, reader = asyncio.get_running_loop(), asyncio.StreamReader(limit=2**26)
    incoming, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(ours_in, "rb", 0)
    )
    outgoing, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, os.fdopen(ours_out, "wb", 0))
    tab = Tab(reader, outgoing)
    listening = asyncio.create_task(tab.listen())
    try:
        target = (await tab.tell("Target.createTarget", url="about:blank"))["targetId"]
        tab.session = (await tab.tell("Target.attachToTarget", targetId=target, flatten=True))["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            await tab.tell(f"{domain}.enable")
        yield tab
    finally:
        listening.cancel()
        incoming.close()
        outgoing.abort()
        with suppress(ProcessLookupError):
            os.killpg(process.pid, 9)
        await process.wait()
