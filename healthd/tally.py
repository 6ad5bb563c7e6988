"""The metrics of healthd, counted while it runs: what happened, how long checks took, and every sampled number."""

from __future__ import annotations

from collections import Counter
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from healthd import __version__
from healthd.answers import Family
from healthd.decide.happenings import Ended, Held, LeftAlone, Unsupported
from healthd.histogram import Histogram, written
from healthd.lines import Lines, series
from healthd.model import ActionKind, HoldReason, IssueType, OutcomeKind, Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from healthd.assess.picture import Component
    from healthd.decide.happenings import Happening
    from healthd.letters import Outcome
    from healthd.pipeline import Pipeline
    from healthd.ports import Host
    from healthd.view import View

    Values = Mapping[Any, float]  # by the values of labels; a Mapping's keys are not taken for their supertype

_CHECK_SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_HEALING_SECONDS: Final = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
_ALERT_SECONDS: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
_RECEIVERS: Final = ("alertmanager", "apprise", "email", "pagerduty", "slack", "webhook")
_STATUSES: Final = tuple((status, str(status)) for status in Status)  # to hash an enum's member takes longer
_SENT: Final = {(receiver, outcome): 0 for receiver in _RECEIVERS for outcome in ("failed", "sent")}
_ON_UNITS: Final = (
    ActionKind.START_UNIT,
    ActionKind.RESTART_UNIT,
    ActionKind.RELOAD_UNIT,
    ActionKind.RESET_FAILED,
    ActionKind.RUN_UNIT,
)
_CHORES: Final = {
    "storage": (ActionKind.DISK_CLEANUP,),
    "memory": (ActionKind.MEMORY_CLEANUP,),
    "network": (ActionKind.NETWORK_RESTART,),
}


class Tally:
    """Counts what the pipeline tells, and makes the families of metrics of it. Series are there from the start, at 0.

    `requests` are the answers so far by method and status, which whoever serves them counts.
    """

    def __init__(self, pipeline: Pipeline, view: View, host: Host) -> None:
        self._pipeline, self._view, self._host = pipeline, view, host
        self._checks: dict[str, Histogram] = {}
        self._attempts: Counter[tuple[str, str, str]] = Counter()
        self._holds: Counter[tuple[str]] = Counter({(reason,): 0 for reason in sorted(map(str, HoldReason))})
        self._healing = Histogram(_HEALING_SECONDS)
        self._alerts, self._sent, self._waiting = Histogram(_ALERT_SECONDS), Counter(_SENT), 0
        self._lines: dict[str, Lines] = {}
        self.requests: Mapping[tuple[str, int], int] = {}
        pipeline.watch(self._happened)
        pipeline.watch_checks(self._sampled)

    def delivered(self, receiver: str, outcome: Outcome) -> None:
        """Count what became of a message."""
        self._sent[receiver, "sent" if outcome.ok else "failed"] += 1
        if outcome.ok:
            self._alerts.observe(outcome.took)

    def wait(self, letters: int) -> None:
        """So many letters are not with all of their receivers."""
        self._waiting = letters

    def _sampled(self, name: str, took: float) -> None:
        if name not in self._checks:
            self._checks[name] = Histogram(_CHECK_SECONDS)
        self._checks[name].observe(took)

    def _happened(self, happenings: Sequence[Happening]) -> None:
        for happening in happenings:
            match happening:
                case Ended(ticket=ticket, attempt=attempt, outcome=outcome, took=took):
                    self._attempts[ticket.key.component, attempt.action, outcome] += 1
                    self._healing.observe(took)
                case Unsupported(ticket=ticket):
                    self._attempts[ticket.key.component, "none", OutcomeKind.NOT_SUPPORTED] += 1
                case Held(reason=reason):
                    self._holds[str(reason),] += 1
                case LeftAlone():
                    self._holds[str(HoldReason.OPERATOR_STOPPED),] += 1
                case _:
                    pass

    # The page

    def families(self) -> Iterator[Family]:
        """Every family of metrics, as it stands."""
        shown = self._pipeline.picture.shown()
        yield self._gauge("healthd_build_info", "The version of healthd that runs.", {(__version__,): 1}, "version")
        yield from self._of_health(shown)
        yield from self._of_checks(shown)
        yield from self._of_healing(shown)
        yield from self._of_the_world_around()
        yield from self._of_the_process()

    def _of_health(self, shown: Mapping[str, Component]) -> Iterator[Family]:
        score = round(self._pipeline.picture.score(), 4)
        yield self._one("system_health_score", "Overall health of the host, 0 to 1.", score)
        scores = {(name,): component.score for name, component in shown.items() if component.score is not None}
        about = "Health of a component, 0 to 1; none while it is unknown."
        yield self._gauge("component_health_score", about, scores, "component")
        now = {name: component.status for name, component in shown.items()}
        statuses = {(name, text): int(now[name] is status) for name in shown for status, text in _STATUSES}
        about = "1 for the status that a component has, 0 for the others."
        yield self._gauge("healthd_component_status", about, statuses, "component", "status")
        values = {
            (name, item.name, measure.name): measure.value
            for name, component in shown.items()
            for item in component.items.values()
            for measure in item.measures
        }
        about = "Every number that checks read; its unit is the end of its name."
        yield self._gauge("healthd_value", about, values, "component", "item", "name")
        issues = dict.fromkeys(map(_usual, shown), 0)
        for each in (ticket for ticket in self._pipeline.state.tickets.values() if ticket.open):
            key = (each.key.component, str(each.key.type), str(each.severity))
            issues[key] = issues.get(key, 0) + 1
        issues = dict(sorted(issues.items()))
        yield self._gauge("healthd_issues", "Issues that are open.", issues, "component", "type", "severity")

    def _of_checks(self, shown: Mapping[str, Component]) -> Iterator[Family]:
        total = sum(histogram.count for histogram in self._checks.values())
        yield self._counter("health_checks_total", "Runs of checks.", {(): total})
        histograms = {(name,): self._checks.setdefault(name, Histogram(_CHECK_SECONDS)) for name in shown}
        about = "How long a check took from its beginning to its reading, waiting included."
        yield self._histograms("health_check_duration_seconds", about, _CHECK_SECONDS, histograms, "component")

    def _of_healing(self, shown: Mapping[str, Component]) -> Iterator[Family]:
        settings = self._pipeline.settings
        attempts: dict[tuple[str, str, str], int] = {}
        for name in shown:
            component = settings.component.get(name)
            acts = name == "services" or (component is not None and component.unit is not None)
            for action in _ON_UNITS if acts else _CHORES.get(name, ()):
                attempts |= {(name, action, outcome): 0 for outcome in (OutcomeKind.SUCCESS, OutcomeKind.FAILED)}
        attempts = dict(sorted((attempts | self._attempts).items()))
        about = "Attempts to heal that have ended; action none: healthd knows no remedy."
        yield self._counter("auto_healing_attempts_total", about, attempts, "component", "action", "outcome")
        about = "How long an attempt took from its dispatch until it was confirmed or had failed."
        yield self._histograms("healthd_healing_duration_seconds", about, _HEALING_SECONDS, {(): self._healing})
        about = "Decisions not to act, by reason; each is counted when it is made."
        yield self._counter("healthd_holds_total", about, self._holds, "reason")
        state = self._pipeline.state
        suggestions = sum(ticket.open and bool(ticket.suggested) for ticket in state.tickets.values())
        yield self._one("healthd_suggestions", "Open issues for which healing is only suggested.", suggestions)
        about = "Actions that failed so often in a row, on one unit and failure, that they are only suggested."
        distrusted = sum(page.distrusted_at is not None for page in state.ledger.values())
        yield self._one("healthd_actions_distrusted", about, distrusted)
        silences = sum(silence.in_force for silence in self._view.silences())
        yield self._one("healthd_silences", "Silences that are in force.", silences)
        remaining = self._view.remaining()
        about = "Actions that the host may still have in the present window; +Inf without a budget."
        left = float("inf") if remaining is None else remaining
        yield self._one("healthd_host_budget_remaining", about, left)

    def _of_the_world_around(self) -> Iterator[Family]:
        about = "Alerts, by receiver and outcome."
        yield self._counter("healthd_alerts_total", about, self._sent, "receiver", "outcome")
        about = "Messages that are not with all of their receivers yet."
        yield self._one("healthd_alerts_waiting", about, self._waiting)
        about = "How long an alert took from its issue to its receiver."
        yield self._histograms("healthd_alert_latency_seconds", about, _ALERT_SECONDS, {(): self._alerts})
        requests = {("GET", 200): 0, **self.requests}
        answered = {(method, str(code)): count for (method, code), count in sorted(requests.items())}
        about = "Requests that were answered, by method and status."
        yield self._counter("healthd_http_requests_total", about, answered, "method", "code")

    def _of_the_process(self) -> Iterator[Family]:
        own = self._host.own_process()
        yield self._counter("process_cpu_seconds_total", "CPU time of healthd.", {(): own.cpu_seconds})
        yield self._one("process_resident_memory_bytes", "Memory of healthd.", own.resident_bytes)
        yield self._one("process_virtual_memory_bytes", "Address space of healthd.", own.virtual_bytes)
        yield self._one("process_start_time_seconds", "When healthd started, in Unix seconds.", own.started_at)
        yield self._one("process_open_fds", "Files that healthd has open.", own.open_files)
        yield self._one("process_max_fds", "Files that it may have open.", own.most_files)

    # Families

    def _one(self, name: str, about: str, value: float) -> Family:
        return self._gauge(name, about, {(): value})

    def _gauge(self, name: str, about: str, values: Values, *labels: str) -> Family:
        return Family(name, "gauge", about, self._text(name, values, labels))

    def _counter(self, name: str, about: str, values: Values, *labels: str) -> Family:
        return Family(name, "counter", about, self._text(name, values, labels))

    def _text(self, name: str, values: Values, labels: tuple[str, ...]) -> str:
        if name not in self._lines:
            self._lines[name] = Lines(lambda key: (series(name, zip(labels, key, strict=True)),))
        return self._lines[name].text(values, values.values())

    def _histograms(
        self, name: str, about: str, bounds: Sequence[float], histograms: Mapping[Any, Histogram], *labels: str
    ) -> Family:
        if name not in self._lines:
            self._lines[name] = Lines(written(name, bounds, *labels))
        values = chain.from_iterable(histogram.values() for histogram in histograms.values())
        return Family(name, "histogram", about, self._lines[name].text(histograms, values))


_TYPE_OF: Final = {
    "services": IssueType.SERVICE_DOWN,
    "memory": IssueType.HIGH_MEMORY,
    "cpu": IssueType.HIGH_CPU,
    "pressure": IssueType.PRESSURE,
    "storage": IssueType.DISK_FULL,
    "network": IssueType.NETWORK_ERROR,
    "kernel": IssueType.KERNEL_FAULT,
    "clock": IssueType.CLOCK_SKEW,
    "timers": IssueType.JOB_FAILED,
}
"""Which issue of a component has a series before there is one."""


@cache
def _usual(component: str) -> tuple[str, str, str]:
    usual = _TYPE_OF.get(component, IssueType.PROBE_FAILED)
    return component, str(usual), str(usual.severity)
