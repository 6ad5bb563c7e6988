"""Rules for the machine of test_limits_hold: disks that fill up, and one unit that cleans up all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from tests.unit.decide.chances import DISKS, RESULTS

if TYPE_CHECKING:
    from healthd.decide.happenings import Started
    from tests.unit.decide.bench import Bench
    from tests.unit.decide.witness import Witness

CLEANUP = "healthd-disk-cleanup.service"


class Disks(RuleBasedStateMachine):
    """What happens to the disks of the host, and what people have done about them."""

    bench: Bench
    witness: Witness

    def turn(self, names: tuple[str, ...] | None, *, everything: bool = False, fate: str = "done") -> None:
        """Have healthd look at these, or at all."""
        raise NotImplementedError

    @rule(name=st.sampled_from(DISKS), full=st.booleans())
    def a_disk_fills_up_or_has_room_again(self, name: str, full: bool) -> None:
        self.bench.disks[name] = full
        self.turn(())

    @rule(name=st.sampled_from(DISKS))
    def a_disk_is_unmounted(self, name: str) -> None:
        self.bench.disks.pop(name, None)
        self.turn(())

    @rule(result=st.sampled_from((*RESULTS, "done", "not_supported")), helps=st.booleans())
    def a_cleanup_ends(self, result: str, helps: bool) -> None:
        if CLEANUP in self.witness.in_flight:
            if helps:
                self.bench.disks[self.witness.in_flight[CLEANUP].item] = False
            self.bench.end_job(CLEANUP, result)
            self.turn(())

    @rule(name=st.sampled_from(DISKS))
    def somebody_orders_a_disk_cleaned(self, name: str) -> None:
        self.bench.order_disk(name)
        self.turn(())

    @rule(name=st.sampled_from(DISKS))
    def somebody_resets_a_disk(self, name: str) -> None:
        self.bench.reset(name)
        self.witness.reset(name)
        self.turn(None, everything=True)

    def check_cleanup(self, started: Started) -> None:
        """Disks are cleaned up by that unit alone, for one that is full, and unasked only where that is switched on."""
        attempt = started.attempt
        assert (attempt.unit, self.bench.disks[started.ticket.key.item]) == (CLEANUP, True)
        assert attempt.by or self.bench.settings.auto_healing.disk_cleanup_enabled
