"""The probe of a port."""

from __future__ import annotations

import asyncio
from typing import Any

from healthd.assess.probe import Talk
from healthd.checks import tcp
from healthd.checks.tcp import Options
from healthd.config import load_texts
from healthd.errors import NoAnswer
from healthd.model import Item, Status
from tests.fake_net import FakeNet
from tests.fakes import FakeClock
from tests.unit.assembly import ports_of

ADDRESS = "127.0.0.1:6379"
TEXT = f"""
[component.redis]
type = "tcp"
address = "{ADDRESS}"
send = "PING\\r\\n"
expect = "+PONG\\u00ff"
timeout_seconds = 2
"""


def asked(**answers: Any) -> tuple[Talk, FakeNet]:
    clock = FakeClock()
    net = FakeNet(answers=answers.get("answers", {}), clock=clock, seconds=0.25)
    options = tcp.options(load_texts({"healthd.toml": TEXT}), "redis")
    return asyncio.run(tcp.sample(ports_of(net=net, clock=clock), options, None)), net


def item(talk: Talk, **options: Any) -> Item:
    (judged,) = tcp.assess(talk, None, Options(**options)).items
    return judged


def test_what_is_configured_is_sent_and_expected_as_bytes() -> None:
    talk, net = asked(answers={ADDRESS: None})

    assert net.asked == [(ADDRESS, {"send": b"PING\r\n", "expect": b"+PONG\xff", "deadline": 2.0})]
    assert talk == Talk(seconds=0.25)


def test_no_answer_is_a_reading() -> None:
    talk, _ = asked()

    assert str(talk.failure) == "connection refused"


def test_a_port_that_answers_is_well_with_its_time() -> None:
    judged = item(Talk(seconds=0.25), expect=b"+PONG")

    assert (judged.status, judged.message) == (Status.HEALTHY, "answers, in 250 ms")
    assert [(each.name, each.value) for each in judged.measures] == [("response_seconds", 0.25)]


def test_where_nothing_is_expected_a_connection_is_all_that_is_said() -> None:
    assert item(Talk(seconds=0.0001)).message == "accepts connections, in less than 1 ms"


def test_a_port_that_does_not_answer_is_an_issue_with_its_cause() -> None:
    judged = item(Talk(seconds=0.25, failure=NoAnswer("refused", "connection refused")))

    assert (judged.status, judged.message) == (Status.UNHEALTHY, "connection refused")
    assert [(each.type, each.cause) for each in judged.findings] == [("probe_failed", "refused")]
