"""For any sequence of failures, people, crashes, reboots and clocks: people hear what they must, and nothing else.

The machine of `test_limits_hold` plays the host; a witness of its own reads the messages as they leave.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import HealthCheck
from hypothesis import settings as search
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from healthd.config import AlertingSettings
from healthd.decide.announce import ALIVE_SECONDS, FLAP_SECONDS, FLAPS, UPDATE_SECONDS
from healthd.decide.happenings import Ended, Held, Opened, Resolved, Spooled, Unsupported
from healthd.letters import Why
from healthd.model import HoldReason, OutcomeKind, Severity
from tests.unit.decide.chances import NAMES, configurations, some_units
from tests.unit.decide.test_limits_hold import Machine
from tests.unit.decide.witness import ROUNDING

if TYPE_CHECKING:
    from healthd.config import Settings
    from healthd.decide.alert import Alert, Word
    from healthd.decide.happenings import Happening
    from healthd.decide.state import Key, Ticket
    from tests.unit.decide.bench import Bench

ORDER = tuple(Severity)
WAITS = frozenset({HoldReason.DEPENDENCY, HoldReason.SHUTTING_DOWN, HoldReason.SILENCED})
alertings = st.builds(
    AlertingSettings,
    webhook_url=st.just("http://127.0.0.1/"),
    alertmanager_url=st.sampled_from(("", "http://127.0.0.1:9093")),
    min_severity=st.sampled_from((Severity.LOW, Severity.HIGH, Severity.CRITICAL)),
    repeat_seconds=st.sampled_from((0.0, 100.0, 14_400.0)),
    group_seconds=st.sampled_from((0.0, 2.0, 100.0)),
    notify_healed=st.booleans(),
)


class Reader:
    """Somebody who reads every message, and knows what happened by itself. All times are true seconds."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._read: dict[int, list[tuple[float, Word]]] = defaultdict(list)
        self._seen: set[tuple[int, int]] = set()
        self._over: set[int] = set()
        self._opened: dict[Key, float] = {}
        self._times: dict[Key, list[float]] = defaultdict(list)
        self._reason: set[Key] = set()
        self._failed: set[Key] = set()
        self._due: dict[Key, float] = {}
        self._owed: dict[Key, int] = {}
        self._silenced: set[Key] = set()

    def heard(self, happenings: tuple[Happening, ...], now: float) -> None:
        """What happened in a turn: an issue has a reason to be told once something was tried, or will not be."""
        for happening in happenings:
            match happening:
                case Opened(ticket=ticket):
                    self._opened[ticket.key] = now
                    self._times[ticket.key].append(now)
                    self._reason.discard(ticket.key)
                    self._failed.discard(ticket.key)
                case Resolved(ticket=ticket, well=well):
                    self._opened.pop(ticket.key, None)
                    if well and self._is_worth_a_note(ticket):
                        self._owed[ticket.key] = ticket.incident
                        silenced = self._bench.before.silences or ticket.hold is HoldReason.SILENCED
                        (self._silenced.add if silenced else self._silenced.discard)(ticket.key)
                case Held(ticket=ticket, reason=reason) if reason not in WAITS:
                    self._reason.add(ticket.key)
                case Ended(ticket=ticket, outcome=outcome) if outcome is not OutcomeKind.SUCCESS:
                    self._reason.add(ticket.key)
                    self._failed.add(ticket.key)
                case Unsupported(ticket=ticket):
                    self._reason.add(ticket.key)
                case _:
                    pass

    def reads(self, alert: Alert, word: Word, now: float) -> None:
        """A message leaves."""
        assert (alert.id, word.number) not in self._seen, "a message twice"
        self._seen.add((alert.id, word.number))
        assert alert.id not in self._over, "a message of what is over"
        before = self._read[alert.id]
        assert not before or word.number > before[-1][1].number
        tickets = [self._bench.state.tickets.get(key) for key in alert.keys]
        open_ones = [ticket for ticket in tickets if ticket is not None and ticket.open]
        if word.why is Why.HEALED:
            self._read_note(alert, open_ones)
            return
        if word.why is Why.RESOLVED:
            assert before, "told to be over, and never told"
            assert not any(ticket.key in alert.keys[: alert.told] for ticket in open_ones), "over, and still open"
            self._over.add(alert.id)
        elif not before:
            assert word.why in (Why.OPENED, Why.GAVE_UP, Why.FLAPPING)
            assert any(self._is_worth_it(ticket.key, now) for ticket in open_ones), "nobody had to know"
        self._check_rhythm(before, word, now)
        before.append((now, word))

    def _read_note(self, alert: Alert, open_ones: list[Ticket]) -> None:
        """A note is of what was well again, and nobody was told of, and it is the only one."""
        assert self._bench.settings.alerting.notify_healed, "a note that nobody asked for"
        assert not open_ones, "well again, and still open"
        assert alert.incident not in {each.incident for each in self._bench.state.tickets.values() if each.open}
        for key in alert.keys:
            assert not self._is_told(key), "a note of what was told"
            assert self._owed.pop(key, None) is not None, "a note of what was not well again, or a second one"
        self._over.add(alert.id)

    def forget_notes(self) -> None:
        """Of an incident that people are told of there is no note."""
        tickets = self._bench.state.tickets
        for alert in self._told_alerts():
            told = {alert.incident, *(tickets[key].incident for key in alert.keys if key in tickets)}
            gone = [key for key, incident in self._owed.items() if incident in told or key in alert.keys]
            for key in gone:
                del self._owed[key]

    def _is_worth_a_note(self, ticket: Ticket) -> bool:
        settings = self._bench.settings.alerting
        return (
            settings.notify_healed
            and ORDER.index(ticket.severity) >= ORDER.index(settings.min_severity)
            and ticket.hold not in WAITS - {HoldReason.SILENCED}
            and not self._is_told(ticket.key)
        )

    def _is_told(self, key: Key) -> bool:
        return any(key in alert.keys for alert in self._told_alerts())

    def _told_alerts(self) -> list[Alert]:
        """Those that were told and not over at the beginning of this step, or are told at its end."""
        alerts = (
            *(alert for alert in self._bench.before.alerts if not alert.over),
            *(alert for alert in self._bench.state.alerts if alert.id not in self._over),
        )
        return [alert for alert in alerts if alert.told_at is not None and not alert.note]

    def _is_worth_it(self, key: Key, now: float) -> bool:
        ticket = self._bench.state.tickets[key]
        alerting, limits = self._bench.settings.alerting, self._bench.settings.auto_healing
        if ORDER.index(ticket.severity) < ORDER.index(alerting.min_severity):
            return False
        lately = [at for at in self._times[key] if now - at < FLAP_SECONDS + ROUNDING]
        lasted = now - self._opened.get(key, now)
        return (
            key in self._reason
            or ticket.severity is Severity.CRITICAL
            or len(lately) >= FLAPS
            or lasted >= limits.verify_seconds - ROUNDING
        )

    def _check_rhythm(self, before: list[tuple[float, Word]], word: Word, now: float) -> None:
        """Nothing is said again without news, but as often as asked for."""
        people = [(at, each) for at, each in before if each.why is not Why.ALIVE]
        alerting = self._bench.settings.alerting
        match word.why:
            case Why.REPEATED:
                assert alerting.repeat_seconds
                assert now - people[-1][0] >= alerting.repeat_seconds - ROUNDING, "again too soon"
            case Why.JOINED:
                assert now - people[-1][0] >= UPDATE_SECONDS - ROUNDING, "what joins can wait"
            case Why.ALIVE:
                assert alerting.alertmanager_url
                assert now - before[-1][0] >= ALIVE_SECONDS - ROUNDING
            case Why.OPENED | Why.FLAPPING:
                assert all(each.why is not word.why for _, each in people), f"twice {word.why}"
            case _:
                pass

    def check_grouping(self) -> None:
        """An issue is in one alert at most that is not over; and in one note, if that need not be after all."""
        alerts = [alert for alert in self._bench.state.alerts if not alert.over]
        count = Counter((key, alert.note) for alert in alerts for key in alert.keys)
        assert all(times == 1 for times in count.values()), "one issue in two alerts"

    def check_told(self, now: float) -> None:
        """Whoever had to hear has heard: what must be told is told when it can wait no longer.

        `now` is in engine seconds, which a reboot sets back a little: so what is to be told may come later.
        """
        told = {
            key for alert in self._bench.state.alerts if alert.told_at is not None for key in alert.keys[: alert.told]
        }
        patience = self._bench.settings.alerting.group_seconds + UPDATE_SECONDS + ROUNDING
        self._due = {key: self._due.get(key, now) for key in self._opened if self._must_be_told(key, now)}
        for key, since in self._due.items():
            late = now - since >= patience
            assert key in told or not late, f"nobody was told of {key}: {self._bench.state.tickets[key]}"

    def _must_be_told(self, key: Key, now: float) -> bool:
        ticket, settings = self._bench.state.tickets[key], self._bench.settings
        if ORDER.index(ticket.severity) < ORDER.index(settings.alerting.min_severity) or self._bench.state.silences:
            return False
        if ticket.hold in WAITS or ticket.well_since is not None:
            return False
        urgent = ticket.severity is Severity.CRITICAL or ticket.gave_up or key in self._failed
        return urgent or now - ticket.opened_at >= settings.auto_healing.verify_seconds + ROUNDING

    def check_all_over(self) -> None:
        """When all is well, every alert that was told was told to be over."""
        assert not self._bench.state.alerts, list(self._bench.state.tickets.values())
        assert {number for number, _ in self._seen} == self._over
        assert self._owed.keys() <= self._silenced, "it was well again, and there was no note of it"


class Alerted(Machine):
    """The same host, of which people are told. The outbox takes what there is, or healthd dies before it did."""

    @initialize(
        alerting=alertings,
        configuration=configurations,
        restart=st.sampled_from(("no", "on-failure")),
        relations=st.sampled_from(({}, {"b.service": "a.service", "c.service": "b.service"})),
    )
    def begin(
        self, alerting: AlertingSettings, configuration: Settings, restart: str, relations: dict[str, str]
    ) -> None:
        self.alerting = alerting
        super().begin(replace(configuration, alerting=alerting), fresh=False, restart=restart, relations=relations)
        self.reader = Reader(self.bench)

    @rule(configuration=configurations)
    def somebody_reloads_the_settings(self, configuration: Settings) -> None:
        super().somebody_reloads_the_settings(replace(configuration, alerting=self.alerting))

    @rule(names=some_units)
    def the_outbox_takes_what_there_is(self, names: tuple[str, ...]) -> None:
        alerts = self.bench.state.alerts
        words = frozenset((alert.id, word.number) for alert in alerts for word in alert.unsent)
        if words:
            self.bench.give(Spooled(words=words))
        self.turn(names)

    @rule()
    def all_is_well_for_long(self) -> None:
        self.bench.units.connected = True
        self.the_outbox_takes_what_there_is(NAMES)
        self.bench.resume(*(silence.id for silence in self.bench.state.silences))
        self.silenced.clear()
        self.bench.package_work = ""
        self.bench.probes = dict.fromkeys(self.bench.probes, True)
        self.bench.disks = dict.fromkeys(self.bench.disks, False)
        for name in NAMES:
            self.put(name, load="loaded", file_state="enabled", job=0)
            self.run(name)
        for name in list(self.witness.in_flight):
            self.bench.end_job(name)
        self.turn(None, everything=True)
        for _ in range(4):
            self.time_passes_and_healthd_wakes_when_it_must(FLAP_SECONDS)
            self.turn(None, everything=True)
        self.the_outbox_takes_what_there_is(NAMES)
        self.reader.check_all_over()

    def check_step(self) -> None:
        super().check_step()
        now, before = self.bench.time, {alert.id: alert.numbers for alert in self.bench.before.alerts}
        self.reader.heard(self.bench.step.happenings, now)
        self.reader.forget_notes()
        for alert in self.bench.state.alerts:
            for word in alert.unsent:
                if word.number > before.get(alert.id, 0):
                    self.reader.reads(alert, word, now)
        self.reader.check_grouping()
        self.reader.check_told(self.bench.stepped_at)


Alerted.TestCase.settings = search(
    max_examples=40, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck)
)
test_people_hear_what_they_must_and_nothing_else = Alerted.TestCase
