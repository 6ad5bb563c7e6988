"""The metrics of healthd, counted while it runs: what happened, how long checks took, and every sampled number."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from healthd import __version__
from healthd.answers import Family, Sample
from healthd.decide.happenings import Ended, Held, LeftAlone, Unsupported
from healthd.histogram import Histogram
from healthd.model import ActionKind, HoldReason, IssueType, OutcomeKind, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from healthd.assess.picture import Component
    from healthd.decide.happenings import Happening
    from healthd.pipeline import Pipeline
    from healthd.ports import Host
    from healthd.view import View

_CHECK_SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_HEALING_SECONDS: Final = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
_ALERT_SECONDS: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
_RECEIVERS: Final = ("alertmanager", "email", "pagerduty", "slack", "webhook")
_ON_UNITS: Final = (ActionKind.START_UNIT, ActionKind.RESTART_UNIT)


class Tally:
    """Counts what the pipeline tells, and makes the families of metrics of it. Series are there from the start, at 0.

    `requests` are the answers so far by method and status, which whoever serves them counts.
    """

    def __init__(self, pipeline: Pipeline, view: View, host: Host) -> None:
        self._pipeline, self._view, self._host = pipeline, view, host
        self._checks: dict[str, Histogram] = {}
        self._attempts: Counter[tuple[str, str, str]] = Counter()
        self._holds: Counter[str] = Counter(dict.fromkeys(map(str, HoldReason), 0))
        self._healing = Histogram(_HEALING_SECONDS)
        self.requests: Mapping[tuple[str, int], int] = {}
        pipeline.watch(self._happened)
        pipeline.watch_checks(self._sampled)

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
                    self._holds[reason] += 1
                case LeftAlone():
                    self._holds[HoldReason.OPERATOR_STOPPED] += 1
                case _:
                    pass

    # The page

    def families(self) -> Iterator[Family]:
        """Every family of metrics, as it stands."""
        shown = self._pipeline.picture.shown()
        yield _gauge("healthd_build_info", "The version of healthd that runs.", [_one(1, version=__version__)])
        yield from self._of_health(shown)
        yield from self._of_checks(shown)
        yield from self._of_healing(shown)
        yield from self._of_the_world_around()
        yield from self._of_the_process()

    def _of_health(self, shown: Mapping[str, Component]) -> Iterator[Family]:
        picture = self._pipeline.picture
        yield _gauge("system_health_score", "Overall health of the host, 0 to 1.", [_one(round(picture.score(), 4))])
        scores = [_one(c.score, component=n) for n, c in shown.items() if c.score is not None]
        yield _gauge("component_health_score", "Health of a component, 0 to 1; none while it is unknown.", scores)
        statuses = [
            _one(float(component.status is status), component=name, status=status)
            for name, component in shown.items()
            for status in Status
        ]
        yield _gauge("healthd_component_status", "1 for the status that a component has, 0 for the others.", statuses)
        values = [
            _one(measure.value, component=name, item=item.name, name=measure.name)
            for name, component in shown.items()
            for item in component.items.values()
            for measure in item.measures
        ]
        yield _gauge("healthd_value", "Every number that checks read; its unit is the end of its name.", values)
        issues = Counter((each.component, each.type, each.severity) for each in self._view.issues())
        for name in shown:
            usual = _TYPE_OF.get(name, IssueType.PROBE_FAILED)
            issues.setdefault((name, usual, usual.severity), 0)
        yield _gauge(
            "healthd_issues",
            "Issues that are open.",
            [_one(n, component=c, type=t, severity=s) for (c, t, s), n in sorted(issues.items())],
        )

    def _of_checks(self, shown: Mapping[str, Component]) -> Iterator[Family]:
        total = sum(histogram.count for histogram in self._checks.values())
        yield _counter("health_checks_total", "Runs of checks.", [_one(total)])
        samples: list[Sample] = []
        for name in shown:
            samples += self._checks.setdefault(name, Histogram(_CHECK_SECONDS)).samples(component=name)
        about = "How long a check took from its beginning to its reading, waiting included."
        yield Family("health_check_duration_seconds", "histogram", about, samples)

    def _of_healing(self, shown: Mapping[str, Component]) -> Iterator[Family]:
        settings = self._pipeline.settings
        attempts: dict[tuple[str, str, str], int] = {}
        for name in shown:
            component = settings.component.get(name)
            acts = name == "services" or (component is not None and component.unit is not None)
            for action in _ON_UNITS if acts else ():
                attempts |= {(name, action, outcome): 0 for outcome in (OutcomeKind.SUCCESS, OutcomeKind.FAILED)}
        attempts |= self._attempts
        about = "Attempts to heal that have ended; action none: healthd knows no remedy."
        samples = [_one(n, component=c, action=a, outcome=o) for (c, a, o), n in sorted(attempts.items())]
        yield _counter("auto_healing_attempts_total", about, samples)
        about = "How long an attempt took from its dispatch until it was confirmed or had failed."
        yield Family("healthd_healing_duration_seconds", "histogram", about, self._healing.samples())
        holds = [_one(n, reason=reason) for reason, n in sorted(self._holds.items())]
        yield _counter(
            "healthd_holds_total", "Decisions not to act, by reason; each is counted when it is made.", holds
        )
        silences = sum(silence.in_force for silence in self._view.silences())
        yield _gauge("healthd_silences", "Silences that are in force.", [_one(silences)])
        remaining = self._view.budget().remaining
        about = "Actions that the host may still have in the present window; +Inf without a budget."
        left = float("inf") if remaining is None else float(remaining)
        yield _gauge("healthd_host_budget_remaining", about, [_one(left)])

    def _of_the_world_around(self) -> Iterator[Family]:
        alerts = [_one(0, receiver=one, outcome=outcome) for one in _RECEIVERS for outcome in ("failed", "sent")]
        yield _counter("healthd_alerts_total", "Alerts, by receiver and outcome.", alerts)
        about = "How long an alert took from its issue to its receiver."
        yield Family("healthd_alert_latency_seconds", "histogram", about, Histogram(_ALERT_SECONDS).samples())
        requests = {("GET", 200): 0, **self.requests}
        answered = [_one(n, method=method, code=str(code)) for (method, code), n in sorted(requests.items())]
        yield _counter("healthd_http_requests_total", "Requests that were answered, by method and status.", answered)

    def _of_the_process(self) -> Iterator[Family]:
        own = self._host.own_process()
        yield _counter("process_cpu_seconds_total", "CPU time of healthd.", [_one(own.cpu_seconds)])
        yield _gauge("process_resident_memory_bytes", "Memory of healthd.", [_one(own.resident_bytes)])
        yield _gauge("process_virtual_memory_bytes", "Address space of healthd.", [_one(own.virtual_bytes)])
        yield _gauge("process_start_time_seconds", "When healthd started, in Unix seconds.", [_one(own.started_at)])
        yield _gauge("process_open_fds", "Files that healthd has open.", [_one(own.open_files)])
        yield _gauge("process_max_fds", "Files that it may have open.", [_one(own.most_files)])


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


def _one(value: float, **labels: str) -> Sample:
    return Sample(tuple(labels.items()), value)


def _gauge(name: str, about: str, samples: Iterable[Sample]) -> Family:
    return Family(name, "gauge", about, list(samples))


def _counter(name: str, about: str, samples: Iterable[Sample]) -> Family:
    return Family(name, "counter", about, list(samples))
