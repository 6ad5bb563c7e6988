"""Questions and answers of the domain name system, as bytes."""

from __future__ import annotations

from struct import pack
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthd.net.dns import Reply, question, reply

NUMBER = 0x1234
KINDS = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33}
HERE = b"\xc0\x0c"  # the name of the question, once more


def encoded(name: str) -> bytes:
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def record(kind: str, data: bytes, name: bytes = HERE, family: int = 1) -> bytes:
    return name + pack("!2HIH", KINDS[kind], family, 60, len(data)) + data


def message(asked: bytes, *records: bytes, flags: int = 0x8180, **changes: Any) -> bytes:
    number: int = changes.get("number", NUMBER)
    body: bytes = changes.get("body", asked[12:])
    return pack("!6H", number, flags, 1 if body else 0, len(records), 0, 0) + body + b"".join(records)


def answered(kind: str, *records: bytes, **changes: Any) -> Reply | None:
    asked = question("example.org", kind, NUMBER)
    return reply(message(asked, *records, **changes), asked)


def test_a_question_is_one_message_that_wants_recursion() -> None:
    assert question("example.org.", "AAAA", NUMBER) == (
        pack("!6H", NUMBER, 0x0100, 1, 0, 0, 0) + encoded("example.org") + pack("!2H", 28, 1)
    )


@pytest.mark.parametrize(
    ("address", "name"),
    [("192.0.2.1", "1.2.0.192.in-addr.arpa"), ("::1", "1" + ".0" * 31 + ".ip6.arpa"), ("a.arpa", "a.arpa")],
)
def test_the_name_of_an_address_stands_under_the_address_in_reverse(address: str, name: str) -> None:
    assert encoded(name) in question(address, "PTR", NUMBER)


def test_the_root_has_a_name() -> None:
    assert question(".", "NS", NUMBER)[12:13] == b"\0"


@pytest.mark.parametrize("name", ["a..b", "", "x" * 64, "x." * 128, ".a"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is no name"):
        question(name, "A", NUMBER)


RECORDS = {
    "A": (b"\xc0\x00\x02\x01", "192.0.2.1"),
    "AAAA": (b"\x20\x01\x0d\xb8" + b"\0" * 11 + b"\1", "2001:db8::1"),
    "NS": (b"\2ns" + HERE, "ns.example.org"),
    "CNAME": (encoded("web.example.net"), "web.example.net"),
    "PTR": (encoded("web.example.net"), "web.example.net"),
    "MX": (b"\0\x0a" + b"\4mail" + HERE, "10 mail.example.org"),
    "SRV": (pack("!3H", 1, 2, 5060) + b"\3sip" + HERE, "1 2 5060 sip.example.org"),
    "TXT": (b"\x03v=s\x04pf1 \x02\xc3\xbc", "v=spf1 ü"),
    "SOA": (
        b"\2ns" + HERE + b"\4root" + HERE + pack("!5I", 1, 2, 3, 4, 5),
        "ns.example.org root.example.org 1 2 3 4 5",
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_record_reads_as_text(kind: str) -> None:
    data, text = RECORDS[kind]

    assert answered(kind, record(kind, data)) == Reply(rcode="NOERROR", records=(text,), truncated=False)


def test_only_the_records_asked_for_are_in_the_answer_whatever_leads_to_them() -> None:
    alias = record("CNAME", encoded("web.example.net"))
    address = record("A", b"\xc0\x00\x02\x01", encoded("web.example.net"))
    chaos = record("A", b"\xc0\x00\x02\x02", family=3)

    reply = answered("A", alias, address, chaos)
    assert reply is not None
    assert reply.records == ("192.0.2.1",)


@pytest.mark.parametrize(
    ("code", "word"), [(0, "NOERROR"), (2, "SERVFAIL"), (3, "NXDOMAIN"), (5, "REFUSED"), (9, "RCODE9")]
)
def test_the_outcome_is_a_word(code: int, word: str) -> None:
    reply = answered("A", flags=0x8180 | code)

    assert reply is not None
    assert (reply.rcode, reply.records) == (word, ())


def test_an_answer_that_was_cut_says_so() -> None:
    assert answered("A", record("A", b"\x7f\0\0\1"), flags=0x8380) == Reply(rcode="NOERROR", records=(), truncated=True)


@pytest.mark.parametrize(
    "changes",
    [{"number": 1}, {"flags": 0x0100}, {"body": encoded("other.org") + pack("!2H", 1, 1)}],
    ids=["number", "a question", "other name"],
)
def test_an_answer_to_another_question_is_none(changes: dict[str, Any]) -> None:
    assert answered("A", record("A", b"\x7f\0\0\1"), **changes) is None


def test_a_server_may_repeat_the_name_in_capitals_or_not_at_all() -> None:
    loud = answered("A", body=question("EXAMPLE.org", "A", NUMBER)[12:])
    silent = answered("A", body=b"", flags=0x8181)

    assert loud is not None
    assert silent is not None
    assert silent.rcode == "FORMERR"


@pytest.mark.parametrize(
    "record",
    [
        record("A", b"\x7f\0\0"),
        record("A", b"\x7f\0\0\1")[:-1],
        b"\xc0\x1d" + record("A", b"\x7f\0\0\1"),
        record("A", b"\x7f\0\0\1")[:7],
    ],
    ids=["an address too short", "cut", "a name that points to itself", "half a head"],
)
def test_what_is_garbled_is_refused(record: bytes) -> None:
    with pytest.raises(ValueError, match="garbled"):
        answered("A", record)


@given(st.sampled_from(sorted(KINDS)), st.binary(max_size=80))
def test_no_bytes_do_any_harm(kind: str, noise: bytes) -> None:
    asked = question("example.org", kind, NUMBER)
    for data in (
        noise,
        message(asked) + noise,
        message(asked, b"", b"")[:29] + noise,
        message(asked, record(kind, noise)),
    ):
        try:
            reply(data, asked)
        except ValueError:
            continue
