"""The days that certificates have left, and what else can be wrong with one."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from healthd.assess.judge import Rules, judge
from healthd.checks import certificate
from healthd.checks.certificate import Options, Reading
from healthd.config import load_texts
from healthd.errors import ReadError
from healthd.model import Item, Status
from healthd.probes import Certificate
from tests.fake_net import FakeNet
from tests.fakes import FakeClock
from tests.unit.assembly import ports_of

DAY = 86_400.0
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC).timestamp()
PATH, ADDRESS = "/etc/ssl/web.pem", "web.example:443"


def until(days: float, **changes: Any) -> Certificate:
    whole = {"not_before": NOW - DAY, "not_after": NOW + days * DAY, "common_name": "web", "names": ("web.example",)}
    return Certificate(**{**whole, **changes})


def judged(*certificates: Certificate, place: str = PATH, **options: Any) -> Item:
    """The item as it holds after one reading."""
    reading = Reading(wall=NOW, found={place: certificates})
    assessment = certificate.assess(reading, None, Options(**options))
    (item,) = judge({}, assessment, Rules(), 0.0)[1].items
    return item


def asked(text: str, answers: dict[str, Any]) -> tuple[Reading, FakeNet]:
    net = FakeNet(answers=answers)
    options = certificate.options(load_texts({"healthd.toml": f'[component.web]\ntype = "certificate"\n{text}'}), "web")
    ports = ports_of(net=net, clock=FakeClock(wall=NOW))
    return asyncio.run(certificate.sample(ports, options, None)), net


def test_a_file_is_read() -> None:
    reading, net = asked(f'path = "{PATH}"', {PATH: {PATH: (until(30),)}})

    assert reading == Reading(wall=NOW, found={PATH: (until(30),)})
    assert net.asked == [(PATH, {"deadline": 10.0})]


def test_a_server_is_asked_and_no_answer_is_a_reading() -> None:
    reading, _ = asked(f'address = "{ADDRESS}"', {ADDRESS: until(30)})
    refused, _ = asked(f'address = "{ADDRESS}"', {})

    assert reading.found == {ADDRESS: (until(30),)}
    assert str(refused.found) == "connection refused"
    (item,) = certificate.assess(refused, None, Options(address=ADDRESS)).items
    assert [(each.type, each.cause) for each in item.findings] == [("probe_failed", "refused")]


def test_a_file_that_cannot_be_read_is_no_reading() -> None:
    with pytest.raises(ReadError):
        asked(f'path = "{PATH}"', {PATH: ReadError("permission denied")})


def test_a_certificate_with_days_left_is_well() -> None:
    item = judged(until(90))

    assert item.status is Status.HEALTHY
    assert item.message == f"the certificate of web in {PATH} is valid until 2026-08-30, 90 days left"
    assert [(each.name, round(each.value)) for each in item.measures] == [("days_left", 90)]


@pytest.mark.parametrize(
    ("days", "status", "words"),
    [
        (20, Status.DEGRADED, "has 20 days left (limit 21), 2026-06-21"),
        (3, Status.UNHEALTHY, "has 3 days left (limit 21), 2026-06-04"),
        (-2, Status.UNHEALTHY, "has expired, 2026-05-30"),
    ],
)
def test_few_days_are_an_issue_and_none_is_the_worst(days: float, status: Status, words: str) -> None:
    item = judged(until(days))

    assert (item.status, item.message) == (status, f"the certificate of web in {PATH} {words}")
    assert [each.type for each in item.findings] == ["certificate"]
    assert days > 0 or item.score == 0.0


@pytest.mark.parametrize(
    "limits", [{"warning_days": 10, "critical_days": 10}, {"warning_days": 10, "critical_days": 0}]
)
def test_the_limits_are_those_of_the_component(limits: dict[str, Any]) -> None:
    assert judged(until(11), **limits).status is Status.HEALTHY
    assert judged(until(9), **limits).findings != ()
    assert judged(until(-1), **limits).score == 0.0


def test_of_several_the_one_that_expires_first_counts() -> None:
    item = judged(until(400), until(90, common_name="old"), until(200))

    assert item.message.startswith(f"the certificate of old in {PATH}, the first of 3, is valid until 2026-08-30")


def test_a_certificate_of_tomorrow_is_not_valid_yet() -> None:
    item = judged(until(90), until(900, common_name="new", not_before=NOW + DAY))

    assert item.message == f"the certificate of new in {PATH} is not valid before 2026-06-02"
    assert [(each.type, each.cause) for each in item.findings] == [("certificate", "not_yet_valid")]


def test_what_a_server_shows_must_be_for_its_name() -> None:
    assert judged(until(90), place=ADDRESS, address=ADDRESS).status is Status.HEALTHY
    item = judged(until(90, names=("a.example", "b.example")), place=ADDRESS, address=ADDRESS)

    assert (item.status, item.message) == (
        Status.UNHEALTHY,
        f"the certificate at {ADDRESS} is for a.example, b.example",
    )
    assert [(each.type, each.cause) for each in item.findings] == [("certificate", "name")]


@pytest.mark.parametrize(
    ("name", "host", "fits"),
    [
        ("web.example", "WEB.example.", True),
        ("*.example", "web.example", True),
        ("*.example", "a.web.example", False),
        ("*.example", "example", False),
        ("::1", "::1", True),
    ],
)
def test_a_name_with_a_star_is_for_exactly_one_label(name: str, host: str, fits: bool) -> None:
    assert until(1, names=(name,)).fits(host) is fits
