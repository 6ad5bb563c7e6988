"""The probe of a URL: which answers are good, and what is said of those that are not."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from healthd.checks import http
from healthd.checks.http import Options, Reading
from healthd.config import load_texts
from healthd.errors import NoAnswer, ReadError
from healthd.model import Item, Status
from healthd.probes import Certificate, Fetched
from tests.fake_net import FakeNet
from tests.fakes import FakeClock
from tests.unit.assembly import ports_of

URL = "http://127.0.0.1:8000/healthz"
DAY = 86_400.0


def asked(text: str, answer: Any = None) -> tuple[Reading, FakeNet]:
    """What a component that is configured so reads; the answer takes a quarter of a second."""
    clock = FakeClock()
    net = FakeNet(answers={URL: answer or Fetched(url=URL, status=200)}, clock=clock, seconds=0.25)
    options = http.options(
        load_texts({"healthd.toml": f'[component.web]\ntype = "http"\nurl = "{URL}"\n{text}'}), "web"
    )
    ports = ports_of(net=net, clock=clock)
    return asyncio.run(http.sample(ports, options, None)), net


def item(answer: Fetched | NoAnswer, wall: float = 0.0, **options: Any) -> Item:
    """What is judged of an answer."""
    reading = Reading(seconds=0.25, wall=wall, answer=answer)
    (judged,) = http.assess(reading, None, Options(headers={}, **options)).items
    return judged


def test_what_is_configured_is_what_is_asked() -> None:
    _, net = asked('method = "POST"\nheaders = { Accept = "text/plain" }\nbody = "ping"\ntimeout_seconds = 2\n')

    ((url, how),) = net.asked
    assert url == URL
    assert how == {
        "method": "POST",
        "headers": {"Accept": "text/plain"},
        "body": b"ping",
        "follow": True,
        "verify": True,
        "deadline": 2.0,
    }


@pytest.mark.parametrize("text", ["follow_redirects = false", "expect_status = 302", "expect_status = [200, 301]"])
def test_who_expects_a_redirect_or_wants_none_sees_it(text: str) -> None:
    _, net = asked(text)

    assert net.asked[0][1]["follow"] is False


def test_an_answer_is_timed() -> None:
    reading, _ = asked("")

    assert reading.seconds == 0.25


def test_no_answer_is_a_reading() -> None:
    reading, _ = asked("", NoAnswer("refused", "connection refused"))

    assert str(reading.answer) == "connection refused"


def test_what_cannot_be_asked_is_none() -> None:
    with pytest.raises(ReadError):
        asked("", ReadError("too many open files"))


def test_a_good_answer_is_well_with_its_time() -> None:
    judged = item(Fetched(url=URL, status=204))

    assert (judged.status, judged.message) == (Status.HEALTHY, "status 204 in 250 ms")
    assert [(each.name, each.value, each.warning) for each in judged.measures] == [("response_seconds", 0.25, None)]


BAD = {
    "no answer": (NoAnswer("timeout", "no answer within 2 s"), {}, "timeout", "no answer within 2 s"),
    "an error": (Fetched(url=URL, status=503), {}, "status", "status 503 (expected 200 to 299)"),
    "another status": (
        Fetched(url=URL, status=200),
        {"statuses": (204, 304)},
        "status",
        "status 200 (expected 204 or 304)",
    ),
    "other words": (Fetched(url=URL, status=200, body=b"no"), {"words": b"ok"}, "body", 'the body lacks "ok"'),
    "a long body": (
        Fetched(url=URL, status=200, body=b"no", cut=True),
        {"words": b"ok"},
        "body",
        'the beginning of the body lacks "ok"',
    ),
}


@pytest.mark.parametrize(("answer", "options", "cause", "message"), BAD.values(), ids=list(BAD))
def test_a_bad_answer_is_an_issue_with_its_cause(
    answer: Fetched | NoAnswer, options: dict[str, Any], cause: str, message: str
) -> None:
    judged = item(answer, **options)

    assert (judged.status, judged.score, judged.message) == (Status.UNHEALTHY, 0.0, message)
    assert [(each.type, each.cause, each.message) for each in judged.findings] == [("probe_failed", cause, message)]


def test_an_expected_status_is_good_whatever_it_is() -> None:
    assert item(Fetched(url=URL, status=503), statuses=(503,)).findings == ()


def test_the_days_that_the_certificate_has_left_are_held_against_limits() -> None:
    shown = Fetched(url=URL, status=200, certificate=Certificate(not_before=0.0, not_after=30 * DAY))

    days = item(shown, wall=10 * DAY).measures[1]
    assert (days.name, days.value, days.warning, days.critical) == ("certificate_days", 20.0, 21.0, 7.0)
    assert days.text == "the certificate has 20 days left (limit 21)"


def test_a_certificate_that_is_not_verified_is_not_judged() -> None:
    shown = Fetched(url=URL, status=200, certificate=Certificate(not_before=0.0, not_after=DAY))

    days = item(shown, verify=False).measures[1]
    assert (days.value, days.warning, days.critical) == (1.0, None, None)
