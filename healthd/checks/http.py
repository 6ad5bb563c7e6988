"""A component of type `http`: a URL that must answer with the right status, and the right words in its body."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from healthd.assess.probe import answered, failed, in_words
from healthd.assess.score import worst
from healthd.errors import NoAnswer
from healthd.model import Assessment, IssueType, Measure
from healthd.registry import CheckSpec, Ports

if TYPE_CHECKING:
    from collections.abc import Mapping

    from healthd.config import Settings
    from healthd.probes import Fetched

WARNING_DAYS: Final = 21.0
CRITICAL_DAYS: Final = 7.0
"""So many days a certificate must have left; they are renewed earlier than that."""

_WORDS_SHOWN: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """[component.NAME] of type http. `deadline` is its timeout_seconds; `statuses` empty: 200 to 299."""

    url: str = ""
    method: str = "GET"
    headers: Mapping[str, str]
    body: bytes = b""
    statuses: tuple[int, ...] = ()
    words: bytes = b""
    follow: bool = True
    verify: bool = True
    deadline: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The answer after `seconds`, or why there is none. `wall` in Unix seconds."""

    seconds: float
    wall: float
    answer: Fetched | NoAnswer


def options(settings: Settings, name: str) -> Options:
    """The keys of the component of this name."""
    component = settings.component.get(name)
    if component is None:
        return Options(headers={})
    said = component.options
    statuses = said["expect_status"]
    return Options(
        url=said["url"],
        method=said["method"],
        headers=said["headers"],
        body=said["body"].encode("utf-8"),
        statuses=statuses if isinstance(statuses, tuple) else (statuses,),
        words=said["expect_body"].encode("utf-8"),
        follow=said["follow_redirects"],
        verify=said["verify_tls"],
        deadline=component.timeout_seconds,
    )


async def sample(ports: Ports, options: Options, _names: frozenset[str] | None) -> Reading:
    """Ask, and take the time that it takes."""
    began = ports.clock.boot()
    try:
        answer: Fetched | NoAnswer = await ports.net.fetch(
            options.url,
            method=options.method,
            headers=options.headers,
            body=options.body,
            # Who expects a redirect wants to see it.
            follow=options.follow and not any(300 <= status < 400 for status in options.statuses),
            verify=options.verify,
            deadline=options.deadline,
        )
    except NoAnswer as failure:
        answer = failure
    return Reading(seconds=ports.clock.boot() - began, wall=ports.clock.wall(), answer=answer)


def assess(reading: Reading, _before: Reading | None, options: Options) -> Assessment:
    """One item: the answer against what is expected; pure."""
    answer = reading.answer
    if isinstance(answer, NoAnswer):
        return failed(answer)
    measures = _measures(reading, answer, options)
    if not _fits(answer.status, options.statuses):
        return failed(NoAnswer("status", f"status {answer.status} (expected {_expected(options.statuses)})"), *measures)
    if options.words not in answer.body:
        words = options.words[:_WORDS_SHOWN].decode("utf-8", "replace")
        what = "the beginning of the body" if answer.cut else "the body"
        return failed(NoAnswer("body", f'{what} lacks "{words}"'), *measures)
    return answered(f"status {answer.status} in {in_words(reading.seconds)}", *measures)


def _measures(reading: Reading, answer: Fetched, options: Options) -> list[Measure]:
    measures = [Measure(name="response_seconds", value=reading.seconds)]
    if answer.certificate is not None:
        days = answer.certificate.days_left(reading.wall)
        measures.append(
            Measure(
                name="certificate_days",
                value=days,
                warning=WARNING_DAYS if options.verify else None,
                critical=CRITICAL_DAYS if options.verify else None,
                limit=0.0,
                issue=IssueType.CERTIFICATE,
                text=f"the certificate has {days:.0f} days left (limit {WARNING_DAYS:.0f})",
            )
        )
    return measures


def _fits(status: int, statuses: tuple[int, ...]) -> bool:
    return status in statuses if statuses else 200 <= status < 300


def _expected(statuses: tuple[int, ...]) -> str:
    return " or ".join(map(str, statuses)) or "200 to 299"


CHECK = CheckSpec(
    type="http", options=options, sample=sample, assess=assess, score=worst, asks_unit=True, keeps_time=True
)
