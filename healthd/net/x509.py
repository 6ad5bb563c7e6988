"""A certificate taken apart as far as a watcher needs it: until when, for whom (RFC 5280, in DER).

Nothing is verified here; that is OpenSSL's, at a handshake. Why not a library: docs/adr/0025-certificates.md.
"""

from __future__ import annotations

import binascii
import re
import socket
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from healthd.probes import Certificate

if TYPE_CHECKING:
    from collections.abc import Iterator

_SEQUENCE, _SET, _OID, _OCTETS, _BOOLEAN = 0x30, 0x31, 0x06, 0x04, 0x01
_VERSION, _EXTENSIONS = 0xA0, 0xA3
_UTC_TIME, _GENERAL_TIME = 0x17, 0x18
_DNS_NAME, _IP_ADDRESS = 0x82, 0x87
_COMMON_NAME: Final = bytes.fromhex("550403")
_ALTERNATIVE_NAMES: Final = bytes.fromhex("551d11")
_UTF16: Final = 0x1E
_PIVOT: Final = 50
_PEM: Final = re.compile(rb"-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----\s*([A-Za-z0-9+/=\s]+)-----END")


class _Part(NamedTuple):
    """One element of DER: its tag and what is in it."""

    tag: int
    content: bytes


def parse_all(pem: bytes) -> tuple[Certificate, ...]:
    """Every certificate in a text of PEM, whatever else is in it. ValueError if there is none, or a broken one."""
    found = tuple(parse(binascii.a2b_base64(block)) for block in _PEM.findall(pem))
    if not found:
        raise ValueError("there is no certificate in it")
    return found


def parse(der: bytes) -> Certificate:
    """The certificate in these bytes; what follows it is ignored. ValueError if they are none."""
    whole = _first(der, _SEQUENCE)
    parts = list(_parts(_first(whole, _SEQUENCE)))
    if parts and parts[0].tag == _VERSION:
        del parts[0]
    if len(parts) < 6:
        raise ValueError("it is no certificate")
    _serial, _algorithm, _issuer, validity, subject, _key, *rest = parts
    instants = [_instant(part) for part in _parts(validity.content)]
    if len(instants) != 2:
        raise ValueError("its validity makes no sense")
    return Certificate(
        not_before=instants[0],
        not_after=instants[1],
        common_name=_common_name(subject.content),
        names=tuple(_names(rest)),
    )


def _parts(data: bytes) -> Iterator[_Part]:
    at = 0
    while at < len(data):
        tag, length, begin = data[at], *_length(data, at + 1)
        if begin + length > len(data):
            raise ValueError("it ends in its middle")
        yield _Part(tag, data[begin : begin + length])
        at = begin + length


def _length(data: bytes, at: int) -> tuple[int, int]:
    """The length that stands here, and where what has this length begins."""
    if at >= len(data):
        raise ValueError("it ends in its middle")
    first = data[at]
    if first < 0x80:
        return first, at + 1
    size = first & 0x7F
    if not 1 <= size <= 4 or at + 1 + size > len(data):
        raise ValueError("a length in it makes no sense")
    return int.from_bytes(data[at + 1 : at + 1 + size]), at + 1 + size


def _first(data: bytes, tag: int) -> bytes:
    part = next(_parts(data), None)
    if part is None or part.tag != tag:
        raise ValueError("it is no certificate")
    return part.content


def _instant(part: _Part) -> float:
    text = part.content.decode("ascii", "replace")
    if part.tag == _UTC_TIME and text[:2].isdigit():
        text = f"{19 if int(text[:2]) >= _PIVOT else 20}{text}"
    elif part.tag != _GENERAL_TIME:
        raise ValueError("its validity makes no sense")
    if not re.fullmatch(r"[0-9]{14}Z", text):
        raise ValueError("its validity makes no sense")
    digits = [int(text[:4]), *(int(text[at : at + 2]) for at in range(4, 14, 2))]
    return datetime(*digits, tzinfo=UTC).timestamp()  # type: ignore[misc, arg-type]  # year to second


def _common_name(subject: bytes) -> str:
    for group in _parts(subject):
        for pair in _parts(group.content):
            kind, *value = _parts(pair.content)
            if kind.content == _COMMON_NAME and value:
                return value[0].content.decode("utf-16-be" if value[0].tag == _UTF16 else "utf-8", "replace")
    return ""


def _names(rest: list[_Part]) -> Iterator[str]:
    """The alternative names among the extensions: those of hosts, and addresses."""
    for extensions in (part for part in rest if part.tag == _EXTENSIONS):
        for extension in _parts(_first(extensions.content, _SEQUENCE)):
            kind, *value = _parts(extension.content)
            if kind.content == _ALTERNATIVE_NAMES and value:
                yield from filter(None, map(_name, _parts(_first(value[-1].content, _SEQUENCE))))


def _name(part: _Part) -> str:
    if part.tag == _DNS_NAME:
        return part.content.decode("ascii", "replace").lower()
    if part.tag == _IP_ADDRESS and len(part.content) in (4, 16):
        family = socket.AF_INET if len(part.content) == 4 else socket.AF_INET6
        return socket.inet_ntop(family, part.content)
    return ""
