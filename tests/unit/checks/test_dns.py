"""The probe of a name server: which answers are good."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from healthd.checks import dns
from healthd.checks.dns import Options, Reading
from healthd.config import load_texts
from healthd.errors import NoAnswer
from healthd.model import Item, Status
from healthd.probes import Resolved
from tests.fake_net import FakeNet
from tests.fakes import FakeClock
from tests.unit.assembly import ports_of

TEXT = """
[component.names]
type = "dns"
name = "example.org"
record = "MX"
server = "9.9.9.9"
timeout_seconds = 2
"""
SERVER = "192.0.2.53"


def item(answer: Resolved | NoAnswer, **options: Any) -> Item:
    asked = Options(**{"name": "example.org", **options})
    (judged,) = dns.assess(Reading(seconds=0.004, answer=answer), None, asked).items
    return judged


def said(*records: str, rcode: str = "NOERROR") -> Resolved:
    return Resolved(server=SERVER, rcode=rcode, records=records)


def test_what_is_configured_is_what_is_asked() -> None:
    clock = FakeClock()
    net = FakeNet(answers={"example.org": said("10 mail.example.org")}, clock=clock, seconds=0.25)
    options = dns.options(load_texts({"healthd.toml": TEXT}), "names")
    ports = ports_of(net=net, clock=clock)
    reading = asyncio.run(dns.sample(ports, options, None))

    assert net.asked == [("example.org", {"record": "MX", "server": "9.9.9.9", "deadline": 2.0})]
    assert reading == Reading(seconds=0.25, answer=said("10 mail.example.org"))
    net.answers.clear()
    assert str(asyncio.run(dns.sample(ports, options, None)).answer) == "connection refused"


def test_an_answer_is_well_with_its_records_and_its_time() -> None:
    judged = item(said("192.0.2.1", "192.0.2.2"))

    assert (judged.status, judged.message) == (Status.HEALTHY, "A 192.0.2.1, 192.0.2.2, in 4 ms")
    assert [(each.name, each.value) for each in judged.measures] == [("response_seconds", 0.004)]


@pytest.mark.parametrize(
    ("record", "found", "expect"),
    [
        ("A", "192.0.2.1", "192.0.2.1"),
        ("CNAME", "Web.Example.net", "web.example.net."),
        ("MX", "10 mail.example.org", "mail.example.org"),
        ("MX", "10 mail.example.org", "10 mail.example.org"),
        ("TXT", "v=spf1 include:example.net -all", "include:example.net"),
        ("TXT", "one=two", "one"),
    ],
)
def test_an_answer_holds_what_is_expected_as_a_record_or_a_word_of_one(record: str, found: str, expect: str) -> None:
    assert item(said("other", found), record=record, expect=expect).findings == ()


BAD = {
    "no answer": (NoAnswer("timeout", "no answer from x"), {}, "timeout", "no answer from x"),
    "no name": (said(rcode="NXDOMAIN"), {}, "dns", f"example.org does not exist, says {SERVER}"),
    "a failure": (said(rcode="SERVFAIL"), {}, "dns", f"{SERVER} has no answer for example.org (SERVFAIL)"),
    "no record": (said(), {"record": "AAAA"}, "dns", f"example.org has no AAAA record, says {SERVER}"),
    "another": (said("192.0.2.10"), {"expect": "192.0.2.1"}, "dns", 'the answer lacks "192.0.2.1": it is 192.0.2.10'),
}


@pytest.mark.parametrize(("answer", "options", "cause", "message"), BAD.values(), ids=list(BAD))
def test_a_bad_answer_is_an_issue_with_its_cause(
    answer: Resolved | NoAnswer, options: dict[str, Any], cause: str, message: str
) -> None:
    judged = item(answer, **options)

    assert (judged.status, judged.message) == (Status.UNHEALTHY, message)
    assert [(each.type, each.cause) for each in judged.findings] == [("probe_failed", cause)]
