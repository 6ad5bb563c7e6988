"""Whether packages are being installed, looked at when there is something to be decided, and never at rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthd.errors import ReadError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from healthd.decide.state import EngineState
    from healthd.model import Item
    from healthd.ports import Host, Log


class Upgrades:
    """Asks the host. `work` is what was last seen at work, in words; "" is nothing."""

    def __init__(self, host: Host, log: Log) -> None:
        self._host, self._log = host, log
        self.work = ""

    def look(
        self, state: EngineState, items: Mapping[tuple[str, str], Item], judged: Iterable[tuple[str, str]]
    ) -> frozenset[str]:
        """Look, if anything may be decided. The components to look at anew: those with issues, when work has ended.

        Where that cannot be read nothing is held for it: no host would ever be healed.
        """
        before, self.work = self.work, ""
        waiting = {ticket.key.component for ticket in state.tickets.values() if ticket.open}
        if not waiting and state.upgrade is None and not any(items[name].findings for name in judged if name in items):
            return frozenset()
        try:
            self.work = self._host.package_work()
        except ReadError as error:
            self._log.debug("whether packages are being installed is not known", error=str(error))
        return frozenset(waiting) if before and not self.work else frozenset()
