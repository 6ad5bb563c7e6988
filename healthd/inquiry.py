"""What is done about an incident beside healing it: hearing what happens, gathering evidence, keeping both."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from healthd.errors import StorageError
from healthd.gather import Gatherer
from healthd.record.incidents import Incidents

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from healthd.decide.happenings import Happening
    from healthd.evidence import Incident
    from healthd.pipeline import Pipeline
    from healthd.ports import Clock, Host, Log, Store, Units

_RECALLED: Final = 100


class Inquiry:
    """Follows a pipeline. `run` is its one task; what happened before it was there is handed to that."""

    def __init__(
        self, pipeline: Pipeline, units: Units, host: Host, *, store: Store, clock: Clock, log: Log, settle: float = 0.5
    ) -> None:
        self._pipeline, self._units, self._store, self._log = pipeline, units, store, log
        self._incidents = Incidents(store=store, clock=clock, log=log, tickets=lambda: pipeline.state.tickets)
        self._gatherer = Gatherer(
            units=units,
            host=host,
            clock=clock,
            picture=pipeline.picture,
            tickets=lambda: pipeline.state.tickets,
            found=self._incidents.found,
            settle=settle,
        )
        if pipeline.healer is not None:
            pipeline.healer.before = self._gatherer.before
        self._waiting: list[Sequence[Happening]] | None = []  # None: what comes is taken in at once
        pipeline.watch(self._heard)

    async def run(self, early: Iterable[Sequence[Happening]] = ()) -> None:
        """Take in what happened so far, look at what was left behind, and gather evidence until cancelled."""
        await self._recall()
        waited, self._waiting = self._waiting or [], None
        # All at once: what opened and was over again in the meantime is to end as its last happening says.
        self._take([happening for happenings in (*early, *waited) for happening in happenings])
        facts = self._units.facts()
        for ticket in self._incidents.unseen():
            self._incidents.open(ticket)
            self._gatherer.look_at(ticket, facts.get(ticket.unit or ""))
        await self._gatherer.run()

    def known(self, number: int) -> Incident | None:
        """What is known by now of an incident of late."""
        return self._incidents.known(number)

    async def _recall(self) -> None:
        """Go on with what was written down before healthd was started anew. No number that is there is given again."""
        try:
            known = await self._store.incidents(since=0.0, most=_RECALLED)
        except StorageError as error:
            self._log.debug("the incidents of before are not known", error=str(error))
            return
        newest = max((incident.id for incident in known), default=0)
        if newest > self._pipeline.state.incidents:
            self._pipeline.state = replace(self._pipeline.state, incidents=newest)
        self._incidents.recall(known)

    def _heard(self, happenings: Sequence[Happening]) -> None:
        if self._waiting is not None:
            self._waiting.append(happenings)
        else:
            self._take(happenings)

    def _take(self, happenings: Sequence[Happening]) -> None:
        self._incidents.hear(happenings)
        self._gatherer.hear(happenings)
