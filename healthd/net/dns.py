"""Questions and answers of the domain name system as bytes (RFC 1035): one question, and what of the answer is text.

Why not a library: docs/adr/0024-dns.md.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from struct import Struct, error
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_TYPES: Final[Mapping[str, int]] = {
    "A": 1,
    "NS": 2,
    "CNAME": 5,
    "SOA": 6,
    "PTR": 12,
    "MX": 15,
    "TXT": 16,
    "AAAA": 28,
    "SRV": 33,
}
_RCODES: Final = ("NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED")
_INTERNET: Final = 1
_RESPONSE, _TRUNCATED, _RECURSION_DESIRED = 0x8000, 0x0200, 0x0100
_POINTER: Final = 0xC0
_NAME_MAX: Final = 255
_JUMPS_MAX: Final = 64
_RECORDS_MAX: Final = 200

_HEADER: Final = Struct("!6H")
_QUESTION: Final = Struct("!2H")
_RECORD: Final = Struct("!2HIH")
_SOA: Final = Struct("!5I")
_SRV: Final = Struct("!3H")
_MX: Final = Struct("!H")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a message answers. `truncated`: it did not fit, and is to be asked for over TCP."""

    rcode: str
    records: tuple[str, ...]
    truncated: bool


def question(name: str, record: str, number: int) -> bytes:
    """The message that asks for these records of a name. ValueError if that is none."""
    asked = _encoded(_reversed(name) if record == "PTR" else name) + _QUESTION.pack(_TYPES[record], _INTERNET)
    return _HEADER.pack(number, _RECURSION_DESIRED, 1, 0, 0, 0) + asked


def reply(data: bytes, asked: bytes) -> Reply | None:
    """What a message says to the question `asked`; None if it answers another one. ValueError if it is garbled."""
    try:
        return _reply(data, asked)
    except (error, IndexError, OSError) as broken:
        raise ValueError("the answer is garbled") from broken


def _reply(data: bytes, asked: bytes) -> Reply | None:
    number, flags, questions, answers, _, _ = _HEADER.unpack_from(data)
    body = asked[_HEADER.size :]
    at = _HEADER.size
    if number != _HEADER.unpack_from(asked)[0] or not flags & _RESPONSE:
        return None
    # A server that could not even read the question does not repeat it.
    if questions:
        if data[at : at + len(body)].lower() != body.lower():
            return None
        at += len(body)
    rcode = flags & 0x0F
    records = _records(data, at, min(answers, _RECORDS_MAX), _QUESTION.unpack(body[-_QUESTION.size :])[0])
    return Reply(
        rcode=_RCODES[rcode] if rcode < len(_RCODES) else f"RCODE{rcode}",
        records=() if flags & _TRUNCATED else records,
        truncated=bool(flags & _TRUNCATED),
    )


def _records(data: bytes, at: int, count: int, wanted: int) -> tuple[str, ...]:
    found = []
    # The part of a message that was cut off is not looked for: what is there is said, and TCP has the rest.
    for _ in range(count):
        if at >= len(data):
            break
        _, at = _name(data, at)
        kind, family, _, length = _RECORD.unpack_from(data, at)
        at += _RECORD.size
        if at + length > len(data):
            raise IndexError
        if kind == wanted and family == _INTERNET:
            found.append(_TEXTS[kind](data, at, length))
        at += length
    return tuple(found)


def _encoded(name: str) -> bytes:
    labels = name.encode("ascii").removesuffix(b".").split(b".") if name != "." else []
    if any(not 0 < len(label) < 64 for label in labels):
        raise ValueError(f"{name} is no name")
    whole = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    if len(whole) > _NAME_MAX:
        raise ValueError(f"{name} is no name")
    return whole


def _reversed(name: str) -> str:
    """The name under which the name of an address stands; what is no address is a name already."""
    for family, suffix in ((socket.AF_INET, "in-addr.arpa"), (socket.AF_INET6, "ip6.arpa")):
        try:
            address = socket.inet_pton(family, name)
        except OSError:
            continue
        parts = [str(byte) for byte in address] if family == socket.AF_INET else list(address.hex())
        return ".".join([*reversed(parts), suffix])
    return name


def _name(data: bytes, at: int) -> tuple[str, int]:
    """The name that begins here, and where what follows it begins."""
    labels: list[str] = []
    after = 0
    for _ in range(_JUMPS_MAX + _NAME_MAX):
        length = data[at]
        if length >= _POINTER:
            after = after or at + 2
            at = (length & ~_POINTER) << 8 | data[at + 1]
        elif length == 0:
            return ".".join(labels) or ".", after or at + 1
        else:
            labels.append(data[at + 1 : at + 1 + length].decode("ascii", "backslashreplace"))
            at += 1 + length
    raise IndexError


def _address(data: bytes, at: int, length: int) -> str:
    family = {4: socket.AF_INET, 16: socket.AF_INET6}.get(length)
    if family is None:
        raise IndexError
    return socket.inet_ntop(family, data[at : at + length])


def _target(data: bytes, at: int, _length: int) -> str:
    return _name(data, at)[0]


def _exchange(data: bytes, at: int, _length: int) -> str:
    return f"{_MX.unpack_from(data, at)[0]} {_name(data, at + _MX.size)[0]}"


def _service(data: bytes, at: int, _length: int) -> str:
    numbers = " ".join(map(str, _SRV.unpack_from(data, at)))
    return f"{numbers} {_name(data, at + _SRV.size)[0]}"


def _authority(data: bytes, at: int, _length: int) -> str:
    server, at = _name(data, at)
    mail, at = _name(data, at)
    numbers = " ".join(map(str, _SOA.unpack_from(data, at)))
    return f"{server} {mail} {numbers}"


def _text(data: bytes, at: int, length: int) -> str:
    end, whole = at + length, b""
    while at < end:
        whole += data[at + 1 : min(end, at + 1 + data[at])]
        at += 1 + data[at]
    return whole.decode("utf-8", "backslashreplace")


_TEXTS: Final[Mapping[int, Callable[[bytes, int, int], str]]] = {
    _TYPES["A"]: _address,
    _TYPES["AAAA"]: _address,
    _TYPES["NS"]: _target,
    _TYPES["CNAME"]: _target,
    _TYPES["PTR"]: _target,
    _TYPES["MX"]: _exchange,
    _TYPES["SRV"]: _service,
    _TYPES["SOA"]: _authority,
    _TYPES["TXT"]: _text,
}
