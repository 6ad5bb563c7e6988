"""Certificates taken apart: instants, names, and anything that is none."""

from __future__ import annotations

import binascii
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthd.net.x509 import parse, parse_all
from healthd.probes import Certificate


def der(tag: int, *content: bytes) -> bytes:
    """One element."""
    whole = b"".join(content)
    size = len(whole)
    length = bytes([size]) if size < 0x80 else bytes([0x82, size >> 8, size & 0xFF])
    return bytes([tag]) + length + whole


def name(text: bytes, tag: int = 0x0C) -> bytes:
    """A subject: a country, and a common name."""
    pairs = [(b"\x55\x04\x06", 0x13, b"DE"), (b"\x55\x04\x03", tag, text)]
    return der(0x30, *(der(0x31, der(0x30, der(0x06, oid), der(kind, value))) for oid, kind, value in pairs))


def certificate(
    begins: tuple[int, bytes] = (0x17, b"260101000000Z"),
    ends: tuple[int, bytes] = (0x17, b"261231235959Z"),
    subject: bytes = name(b"web"),
    names: bytes = b"",
    version: bytes = der(0xA0, der(0x02, b"\x02")),
) -> bytes:
    """A certificate of which only what is read makes sense."""
    oid, key_usage = der(0x06, b"\x2a\x03"), der(0x30, der(0x06, b"\x55\x1d\x0f"), der(0x01, b"\xff"), der(0x04, b""))
    alternative = der(0x30, der(0x06, b"\x55\x1d\x11"), der(0x04, der(0x30, names))) if names else b""
    validity = der(0x30, der(*begins), der(*ends))
    body = [version, der(0x02, b"\x01"), der(0x30, oid), name(b"an authority"), validity, subject, der(0x30, oid)]
    extensions = der(0xA3, der(0x30, key_usage, alternative))
    return der(0x30, der(0x30, *body, extensions), der(0x30, oid), der(0x03, b"\x00" * 200))


def pem(whole: bytes) -> bytes:
    return b"-----BEGIN CERTIFICATE-----\n" + binascii.b2a_base64(whole) + b"-----END CERTIFICATE-----\n"


def unix(*instant: int) -> float:
    return datetime(*instant, tzinfo=UTC).timestamp()  # type: ignore[misc, arg-type]


def test_a_certificate_says_from_when_until_when_and_for_whom() -> None:
    names = (
        der(0x82, b"Web.Example") + der(0x87, b"\xc0\x00\x02\x01") + der(0x87, b"\0" * 15 + b"\1") + der(0x81, b"a@b")
    )

    assert parse(certificate(names=names)) == Certificate(
        not_before=unix(2026, 1, 1),
        not_after=unix(2026, 12, 31, 23, 59, 59),
        common_name="web",
        names=("web.example", "192.0.2.1", "::1"),
    )


@pytest.mark.parametrize(
    ("form", "instant"),
    [
        ((0x17, b"490101000000Z"), (2049, 1, 1)),
        ((0x17, b"500101000000Z"), (1950, 1, 1)),
        ((0x18, b"20500101000000Z"), (2050, 1, 1)),
        ((0x18, b"99991231235959Z"), (9999, 12, 31, 23, 59, 59)),
    ],
)
def test_both_forms_of_time_are_understood(form: tuple[int, bytes], instant: tuple[int, ...]) -> None:
    assert parse(certificate(ends=form)).not_after == unix(*instant)


def test_the_first_version_of_certificates_has_no_number() -> None:
    assert parse(certificate(version=b"")).common_name == "web"


@pytest.mark.parametrize(("subject", "title"), [(name("müller".encode()), "müller"), (name(b"\0w\0e\0b", 0x1E), "web")])
def test_a_name_is_text_however_it_is_encoded(subject: bytes, title: str) -> None:
    assert parse(certificate(subject=subject)).title == title


def test_a_certificate_without_a_common_name_is_called_by_its_first_name() -> None:
    assert parse(certificate(subject=der(0x30), names=der(0x82, b"web.example"))).title == "web.example"
    assert parse(certificate(subject=der(0x30))).title == "without a name"


def test_every_certificate_in_a_file_is_found_among_whatever_else_is_in_it() -> None:
    text = b"a key:\n-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n" + pem(certificate())
    text += b"# its authority\r\n" + pem(certificate(ends=(0x17, b"400101000000Z")))

    assert [each.not_after for each in parse_all(text)] == [unix(2026, 12, 31, 23, 59, 59), unix(2040, 1, 1)]


@pytest.mark.parametrize(
    ("begins", "ends"),
    [
        ((0x17, b"26010100000Z"), (0x17, b"261231235959Z")),
        ((0x17, b"xx0101000000Z"), (0x17, b"261231235959Z")),
        ((0x02, b"\x01"), (0x17, b"261231235959Z")),
        ((0x17, b"261301000000Z"), (0x17, b"261231235959Z")),
    ],
    ids=["too short", "no number", "no time", "a thirteenth month"],
)
def test_a_validity_that_makes_no_sense_is_refused(begins: tuple[int, bytes], ends: tuple[int, bytes]) -> None:
    with pytest.raises(ValueError, match=r"month|validity"):
        parse(certificate(begins=begins, ends=ends))


@pytest.mark.parametrize(
    "text", [b"", b"hello", pem(b""), pem(b"\x30\x80"), pem(certificate()[:-20]), pem(b"\x02\x01\x01")]
)
def test_what_is_no_certificate_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w+"):
        parse_all(text)


@given(st.integers(min_value=0), st.binary(min_size=1, max_size=3))
def test_no_damage_does_more_than_to_be_refused(where: int, damage: bytes) -> None:
    whole = bytearray(certificate(names=der(0x82, b"web.example")))
    at = where % len(whole)
    whole[at : at + len(damage)] = damage
    try:
        parse(bytes(whole))
    except ValueError:
        return
