"""The probe of a Unix socket."""

from __future__ import annotations

import asyncio
from typing import Any

from healthd.assess.probe import Talk
from healthd.checks import unix
from healthd.checks.unix import Options
from healthd.config import load_texts
from healthd.errors import NoAnswer
from healthd.model import Status
from tests.fake_net import FakeNet
from tests.fakes import FakeClock
from tests.unit.assembly import ports_of

PATH = "/run/web/web.sock"
TEXT = f'[component.web]\ntype = "unix"\npath = "{PATH}"\nsend = "ü"\nexpect = "→"\ntimeout_seconds = 2\n'


def asked(answers: dict[str, Any]) -> tuple[Talk, FakeNet]:
    net, clock = FakeNet(answers=answers), FakeClock()
    options = unix.options(load_texts({"healthd.toml": TEXT}), "web")
    return asyncio.run(unix.sample(ports_of(net=net, clock=clock), options, None)), net


def test_what_is_configured_is_what_is_asked() -> None:
    talk, net = asked({PATH: None})

    assert net.asked == [(PATH, {"send": b"\xfc", "expect": "→".encode(), "deadline": 2.0})]
    assert talk == Talk(seconds=0.0)


def test_no_answer_is_a_reading_and_an_issue() -> None:
    talk, _ = asked({PATH: NoAnswer("missing", "there is no such socket")})

    (judged,) = unix.assess(talk, None, Options()).items
    assert (judged.status, judged.message) == (Status.UNHEALTHY, "there is no such socket")
    assert [(each.type, each.cause) for each in judged.findings] == [("probe_failed", "missing")]


def test_a_socket_that_answers_is_well() -> None:
    (judged,) = unix.assess(Talk(seconds=0.002), None, Options(expect=b"ok")).items

    assert (judged.status, judged.message) == (Status.HEALTHY, "answers, in 2 ms")
