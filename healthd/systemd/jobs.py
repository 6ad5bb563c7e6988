"""Jobs: asked of systemd, and awaited until they end.

systemd says how a job ended in a signal, which may well come before the answer that names the job. So as long as any
job is being asked for, the ends of all jobs are kept, and the answer's job is looked for there first.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from healthd.errors import BusError, BusLost, BusTimeout
from healthd.model import JobResult
from healthd.systemd.names import UNIT, get, job_number, manager, unit_path

if TYPE_CHECKING:
    from collections.abc import Iterable

    from healthd.ports import Clock
    from healthd.systemd.bus import Bus, Request
    from healthd.systemd.facts import Ledger

# For each job systemd watches, with a match rule, whether the client that wanted it is still there. The system bus lets
# it have 512 rules; at the first one more systemd drops its connection to the bus. This leaves room for other clients.
AT_ONCE: Final = 200

_CONFLICT: Final = "org.freedesktop.systemd1.TransactionIsDestructive"
_LEAST_SECONDS: Final = 1.0  # for systemd to say which job it made
_AFTERTHOUGHT: Final = 2.0  # seconds for asking what became of a job that has outlasted its deadline


class Jobs:
    """Asks for jobs and awaits them. Feed it every JobRemoved by `ended`, and the loss of the connection by `lost`."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock
        self._asking = 0
        self._ends: dict[int, JobResult] = {}  # of the jobs that ended while any was being asked for
        self._awaited: dict[int, list[asyncio.Future[JobResult]]] = {}
        self._room = asyncio.Semaphore(AT_ONCE)

    def ended(self, job: int, name: str, result: str) -> None:
        """A job is gone."""
        self._ledger.job_ended(job, name, result, self._clock.boot())
        end = JobResult(result=result, unit=self._ledger.units.get(name))
        if self._asking:
            self._ends[job] = end
        self._tell(self._awaited.get(job, ()), end)

    def lost(self, reason: str) -> None:
        """The connection is gone: how the awaited jobs end will not be heard."""
        for waiting in self._awaited.values():
            self._tell(waiting, JobResult(result="lost", text=reason))

    async def run(self, bus: Bus, method: str, name: str, *, deadline: float) -> JobResult:
        """Call `method` of the manager (StartUnit and its like), and await the job.

        The result is systemd's word for how the job ended, or "refused" (by polkit or systemd, whose words say why),
        "conflict" (a job of somebody else is in the way, and is left there), "timeout" (not over at the deadline) or
        "lost" (the connection broke while the job ran). Raises `BusLost` or `BusTimeout` if no answer named a job.
        """
        loop = asyncio.get_running_loop()
        end_by = loop.time() + deadline
        try:
            async with asyncio.timeout_at(end_by):
                await self._room.acquire()
        except TimeoutError:
            return JobResult(result="timeout", text=f"not begun: {AT_ONCE} other jobs took longer than {deadline:g} s")
        try:
            if end_by - loop.time() < min(_LEAST_SECONDS, deadline / 2):  # no answer in that would cost the connection
                return JobResult(result="timeout", text=f"not begun: other jobs took nearly all of {deadline:g} s")
            # "fail": a job that an operator has queued is never pushed aside.
            job, end = await self._ask(bus, manager(method, "ss", name, "fail"), name, end_by - loop.time())
            return await self._await(bus, job, end, name, end_by)
        except (BusLost, BusTimeout):
            raise
        except BusError as error:
            return JobResult(result="conflict" if error.name == _CONFLICT else "refused", text=str(error))
        finally:
            self._room.release()

    async def _ask(
        self, bus: Bus, request: Request, name: str, deadline: float
    ) -> tuple[int, asyncio.Future[JobResult]]:
        """The job's id and its end to come. Two that ask the same of a unit get the same job."""
        self._asking += 1
        self._ledger.dispatching(name)
        lasting = None
        try:
            (path,) = await bus.call(request, deadline=deadline)
            job = job_number(path)
            end: asyncio.Future[JobResult] = asyncio.get_running_loop().create_future()
            self._awaited.setdefault(job, []).append(end)
            if job in self._ends:
                end.set_result(self._ends[job])
            else:
                lasting = job
            return job, end
        finally:
            self._ledger.dispatched(name, lasting, self._clock.boot())
            self._asking -= 1
            if not self._asking:
                self._ends.clear()

    async def _await(self, bus: Bus, job: int, end: asyncio.Future[JobResult], name: str, end_by: float) -> JobResult:
        try:
            await asyncio.wait([end], timeout=end_by - asyncio.get_running_loop().time())
            if not end.done():
                ((_, (current, _)),) = await bus.call(get(unit_path(name), UNIT, "Job"), deadline=_AFTERTHOUGHT)
                # If this process stood still, the end of the job lay in the socket, before the answer.
                if not end.done():
                    text = "it is not done yet" if current == job else "it is gone; systemd did not say how it ended"
                    return JobResult(result="timeout", text=text)
            return end.result()
        finally:
            self._awaited[job].remove(end)
            if not self._awaited[job]:
                del self._awaited[job]

    @staticmethod
    def _tell(waiting: Iterable[asyncio.Future[JobResult]], result: JobResult) -> None:
        for end in waiting:
            if not end.done():
                end.set_result(result)
