"""The TCP listeners: which addresses are served, why one is not, and when it is tried again.

Each address has a task of its own for as long as the configuration names it. So a reload takes nothing from those that
stay, and an address that cannot be had disturbs no other.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

from healthd.answers import Diagnosis
from healthd.events import Event
from healthd.expose.bind import Closed, bind, close, explained, settle_in
from healthd.expose.message import Client, Part
from healthd.expose.rate import plain_address
from healthd.expose.server import Limits, Server
from healthd.model import Severity

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable

    from healthd.config import HttpSettings
    from healthd.expose.connection import Refused
    from healthd.expose.message import Handler
    from healthd.expose.streams import Streams
    from healthd.expose.tls import Tls
    from healthd.ports import Log

LIMITS: Final = Limits(connections=512, of_one_client=256)
_BACKLOG: Final = 1024
_ELSEWHERE: Final = "name other addresses in [http], then: healthctl reload"
_EXPECTED: Final = frozenset({"port_taken", "given_up"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Pauses:
    """Seconds: until a closed address is tried again, until one that was given up is, and how long it must be free.

    A unit that is being restarted frees its port for a moment, and shall not find it taken.
    """

    retry: float = 10.0
    given_up: float = 60.0
    free: float = 3.0


PAUSES: Final = Pauses()


@dataclass(slots=True, kw_only=True)
class _Place:
    """One address. `problem` says why it is not served, in words, and `reason` in one word; "" while all is well."""

    address: str
    parts: frozenset[Part]
    task: asyncio.Task[None] | None = None
    served: bool = False
    problem: str = ""
    reason: str = ""
    remedy: str = ""
    leave: asyncio.Event = field(default_factory=asyncio.Event)
    stir: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    def greet(self, connection: socket.socket) -> Client:
        """Nobody is known on TCP before there is a key."""
        settle_in(connection)
        address = plain_address(connection.getpeername()[0])
        return Client(rights=frozenset(), address=address, parts=self.parts)


class Listeners:
    """Serves the addresses that `configure` names, once `run` runs. What is wrong with one is said once."""

    def __init__(
        self,
        answer: Handler,
        refused: Refused,
        tls: Tls,
        streams: Streams,
        log: Log,
        *,
        pauses: Pauses = PAUSES,
    ) -> None:
        self._answer, self._refused = answer, refused
        self._tls, self._streams, self._log, self._pauses = tls, streams, log, pauses
        self._places: dict[str, _Place] = {}
        self._dropped: set[asyncio.Task[None]] = set()
        self._running = False

    def configure(self, http: HttpSettings) -> None:
        """Serve these addresses from now on; those that are served already and stay notice nothing."""
        wanted = _wanted(http)
        for address in self._places.keys() - wanted.keys():
            self._drop(self._places.pop(address))
        for address, parts in wanted.items():
            place = self._places.setdefault(address, _Place(address=address, parts=parts))
            place.parts = parts
            place.stir.set()
        self._start()

    async def run(self, settled: Callable[[], Awaitable[None]]) -> None:
        """Serve until cancelled. Before the host has `settled`, its units have the first choice of ports."""
        await settled()
        self._running = True
        self._start()
        try:
            await asyncio.Event().wait()
        finally:
            self._running = False
            for place in self._places.values():
                self._drop(place)
            if self._dropped:
                await asyncio.wait(tuple(self._dropped))

    def held(self) -> frozenset[int]:
        """The ports that are served now."""
        return frozenset(place.port for place in self._places.values() if place.served)

    def give_up(self, port: int, unit: str) -> None:
        """Leave a port to a unit that failed because healthd has it."""
        for place in self._places.values():
            if not place.served or place.port != port:
                continue
            place.problem = f"healthd left this address to {unit}, which failed because it was taken"
            place.reason, place.remedy = "given_up", _ELSEWHERE
            place.leave.set()
            message = (
                f"{unit} failed because healthd has {place.address}: healthd closes it, and tries it again in "
                f"{self._pauses.given_up:g} s. To settle it for good, {_ELSEWHERE}"
            )
            self._log.event(
                Event.LISTENER_CHANGED,
                message,
                severity=Severity.MEDIUM,
                reason="given_up",
                address=place.address,
                unit=unit,
            )

    def diagnoses(self) -> list[Diagnosis]:
        """Each address: served, or why not."""
        return [self._diagnosis(place) for place in self._places.values()]

    def _diagnosis(self, place: _Place) -> Diagnosis:
        name = f"tcp {place.address}"
        if place.served:
            what = " and ".join(_NAMES[part] for part in Part if part in place.parts)
            return Diagnosis(name=name, ok=True, text=f"serving {what} over {self._tls.scheme}")
        if not place.problem:
            return Diagnosis(name=name, ok=None, text="not served yet: units that start with the host come first")
        return Diagnosis(name=name, ok=False, text=place.problem, remedy=place.remedy)

    def _start(self) -> None:
        for place in self._places.values():
            if self._running and place.task is None:
                place.task = asyncio.create_task(self._keep(place), name=f"tcp {place.address}")
                place.task.add_done_callback(partial(self._ended, place))

    def _ended(self, place: _Place, task: asyncio.Task[None]) -> None:
        """What nobody foresaw, as that no thread can be had to ask for a name, is said; the address is tried again."""
        error = None if task.cancelled() else task.exception()
        if error is None:
            return
        place.task = None
        problem = f"{place.address} is not served: a fault in healthd ({error!r})"
        if problem != place.problem:
            self._log.exception(Event.LISTENER_CHANGED, problem, error, reason="fault", address=place.address)
        place.problem, place.reason, place.remedy = problem, "fault", "systemctl restart healthd"
        asyncio.get_running_loop().call_later(self._pauses.retry, self._start)

    def _drop(self, place: _Place) -> None:
        if place.task is not None:
            place.task.cancel()
            self._dropped.add(place.task)
            place.task.add_done_callback(self._dropped.discard)

    # The life of one address

    async def _keep(self, place: _Place) -> None:
        """Have one address served for as long as it is wanted."""
        free = True  # so far nobody is known to have it
        while True:
            place.stir.clear()
            try:
                listeners = await self._open(place, listen=free)
                if free:
                    await self._serve(place, listeners)
            except Closed as closed:
                free = False
                self._say_closed(place, closed)
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._pauses.retry):
                        await place.stir.wait()
                continue
            if free:
                await asyncio.sleep(self._pauses.given_up)
            else:
                close(listeners)
                await asyncio.sleep(self._pauses.free)
            free = not free

    async def _open(self, place: _Place, *, listen: bool) -> list[socket.socket]:
        if self._tls.problem:
            self._tls.load()
        if self._tls.problem:
            raise Closed(self._tls.problem, "tls", self._tls.remedy)
        others = any(each.port == place.port for each in self._places.values() if each is not place)
        listeners = await bind(place.address, only_ipv6=others)
        try:
            for each in listeners if listen else ():
                each.listen(_BACKLOG)
        except OSError as error:
            close(listeners)
            raise explained(place.address, error) from None
        return listeners

    async def _serve(self, place: _Place, listeners: list[socket.socket]) -> None:
        """Serve until the address is given up."""
        self._say_open(place)
        place.leave.clear()
        place.served = True
        try:
            async with asyncio.TaskGroup() as group:
                servers = [group.create_task(self._server(place, each).run()) for each in listeners]
                await place.leave.wait()
                for server in servers:
                    server.cancel()
        except ExceptionGroup as broken:  # nothing can be accepted any more: it is opened anew
            error = broken.exceptions[0]
            if not isinstance(error, OSError):
                raise
            raise explained(place.address, error) from None
        finally:
            place.served = False
            close(listeners)

    def _server(self, place: _Place, listener: socket.socket) -> Server:
        return Server(
            listener,
            place.greet,
            self._answer,
            self._log,
            streams=self._streams,
            limits=LIMITS,
            refused=self._refused,
            tls=lambda: self._tls.context,
        )

    def _say_closed(self, place: _Place, closed: Closed) -> None:
        """Once: neither what was said before, nor that a unit has the port that it was given."""
        if str(closed) == place.problem or {place.reason, closed.reason} <= _EXPECTED:
            return
        place.problem, place.reason, place.remedy = str(closed), closed.reason, closed.remedy
        message = f"{closed} ({closed.remedy}); healthd tries again every {self._pauses.retry:g} s"
        self._log.event(
            Event.LISTENER_CHANGED, message, severity=Severity.MEDIUM, reason=closed.reason, address=place.address
        )

    def _say_open(self, place: _Place) -> None:
        if place.problem:
            place.problem = place.reason = place.remedy = ""
            self._log.event(
                Event.LISTENER_CHANGED, f"{place.address} is served now", reason="served", address=place.address
            )


_NAMES: Final = {Part.API: "the API, probes and the page", Part.METRICS: "metrics"}


def _wanted(http: HttpSettings) -> dict[str, frozenset[Part]]:
    """The addresses with what is served at each; one may stand in both lists."""
    wanted: dict[str, frozenset[Part]] = {}
    for part, addresses in ((Part.API, http.listen), (Part.METRICS, http.metrics_listen)):
        for address in addresses:
            wanted[address] = wanted.get(address, frozenset()) | {part}
    return wanted
