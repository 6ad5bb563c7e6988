"""All that clients meet: the Unix sockets, the TCP listeners with their gate, and what both share."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import TYPE_CHECKING, Final

from healthd.answers import Diagnosis
from healthd.config.keys import KEYS_FILE, Keys, read_keys
from healthd.events import Event
from healthd.expose.api import Api
from healthd.expose.audit import Audit
from healthd.expose.gate import Gate
from healthd.expose.listeners import PAUSES, Listeners, Pauses
from healthd.expose.serve import serve
from healthd.expose.streams import Streams
from healthd.expose.tls import Tls
from healthd.expose.way import Way
from healthd.model import Severity

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable
    from pathlib import Path

    from healthd.config import HttpSettings
    from healthd.expose.message import Answer, Handler, Request, Stream
    from healthd.ports import Control, Host, Log, Units

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_MEND: Final = "mend the file, then: healthctl reload"


class Front:
    """Serves the API. `requests` counts answers by method and status, of all sockets together."""

    def __init__(
        self,
        control: Control,
        units: Units,
        host: Host,
        log: Log,
        *,
        keys_file: Path = KEYS_FILE,
        pauses: Pauses = PAUSES,
    ) -> None:
        self.requests: Counter[tuple[str, int]] = Counter()
        self._log, self._keys_file = log, keys_file
        self._streams, self._tls = Streams(), Tls()
        self._audit = Audit(log)
        self._api = Api(control, log)
        self._gate = Gate(self._api.answer, self._audit, time.monotonic)
        answer = self._counted(self._gate.answer)
        self.listeners = Listeners(answer, self._gate.refused, self._tls, self._streams, log, pauses=pauses)
        self._way = Way(units, host, self.listeners)
        self._keys = Keys()

    def configure(self, http: HttpSettings) -> None:
        """Take over settings, and read keys and certificates anew."""
        self._keys = read_keys(self._keys_file)
        for problem in self._keys.problems:
            self._log.event(Event.CONFIG_RELOADED, f"warning: {problem}", severity=Severity.MEDIUM, reason="api_keys")
        self._tls.configure(http)
        if self._tls.warning:
            message = f"warning: {self._tls.warning} ({self._tls.remedy})"
            self._log.event(Event.CONFIG_RELOADED, message, severity=Severity.MEDIUM, reason="tls")
        self._gate.configure(http, self._keys)
        self.listeners.configure(http)

    async def run(self, sockets: Iterable[socket.socket]) -> None:
        """Serve the Unix sockets at once, and TCP when the host is settled, until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(serve(sockets, self._counted(self._api.answer), self._streams, self._log))
                group.create_task(self._way.run())
                group.create_task(self.listeners.run(self._way.settled))
        finally:
            self._audit.flush()
            self._audit.stop()

    def diagnoses(self) -> list[Diagnosis]:
        """The TCP side of doctor."""
        lines = self.listeners.diagnoses()
        if self._tls.warning:
            lines.append(Diagnosis(name="tls", ok=False, text=self._tls.warning, remedy=self._tls.remedy))
        if self._keys.problems:
            text = "\n".join(self._keys.problems)
            lines.append(Diagnosis(name="api keys", ok=False, text=text, remedy=_MEND))
        return lines

    def _counted(self, answer: Handler) -> Handler:
        async def counted(request: Request) -> Answer | Stream:
            found = await answer(request)
            self.requests[request.method if request.method in _METHODS else "other", found.status] += 1
            return found

        return counted
