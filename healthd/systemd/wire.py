"""D-Bus messages as they lie on the wire: where one ends, what its header says, and what is wanted of its dictionary.

jeepney parses bodies here, with two exceptions. One restart of a unit makes about sixteen PropertiesChanged signals of
1 KiB, jeepney needs 0.17 ms for each, and a host on which 400 units die would have to wait for that: so the dictionary
in them is skimmed, value types that are not wanted are stepped over by their length (0.02 ms). And the list of all
units is ten fields for each of hundreds of them, in which jeepney takes four times as long as a loop that knows them.
Source: the D-Bus specification, "Marshaling" and "Message Protocol".
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from struct import Struct
from typing import TYPE_CHECKING, Any, Final

from jeepney import Endianness
from jeepney.low_level import parse_signature

if TYPE_CHECKING:
    from collections.abc import Mapping

HEADER_BYTES: Final = 16  # of a message, until its header fields begin
MESSAGE_LIMIT: Final = 1 << 27  # the specification's; what claims to be longer is no D-Bus

METHOD_RETURN: Final = 2
ERROR: Final = 3
SIGNAL: Final = 4

_LITTLE: Final = Struct("<I").unpack_from
_BIG: Final = Struct(">I").unpack_from
_ENDIAN: Final = {ord("l"): (_LITTLE, Endianness.little), ord("B"): (_BIG, Endianness.big)}

# Fields of a header by their code. Those of other codes are to be ignored, says the specification.
_FIELDS: Final = ("", "path", "interface", "member", "error", "reply_to", "", "sender", "signature")

_ALIGNMENT: Final = {
    **dict.fromkeys(map(ord, "ygv"), 1),
    **dict.fromkeys(map(ord, "nq"), 2),
    **dict.fromkeys(map(ord, "biuhsoa"), 4),
    **dict.fromkeys(map(ord, "xtd({"), 8),
}
_FIXED: Final = {
    **dict.fromkeys(map(ord, "y"), 1),
    **dict.fromkeys(map(ord, "nq"), 2),
    **dict.fromkeys(map(ord, "biuh"), 4),
    **dict.fromkeys(map(ord, "xtd"), 8),
}
_PLAIN: Final = frozenset("sou")
_STRING, _OBJECT, _SIGNATURE, _ARRAY, _UINT32 = map(ord, "sogau")


class Malformed(ValueError):
    """What came over the socket is no D-Bus message."""


@lru_cache(maxsize=256)
def _type(signature: str) -> Any:
    return parse_signature(list(signature))


def frame_size(buffer: bytearray, at: int) -> int | None:
    """Bytes of the message that begins at `at`; None while too little of it is there to say."""
    if len(buffer) - at < HEADER_BYTES:
        return None
    u32, _ = _endian(buffer[at])
    fields: int = u32(buffer, at + 12)[0]
    body: int = u32(buffer, at + 4)[0]
    size = HEADER_BYTES + _aligned(fields, 8) + body
    if size > MESSAGE_LIMIT:
        raise Malformed(f"a message of {size} bytes")
    return size


def _endian(mark: int) -> tuple[Any, Any]:
    try:
        return _ENDIAN[mark]
    except KeyError:
        raise Malformed(f"a message that begins with byte {mark}") from None


def _aligned(at: int, step: int) -> int:
    return (at + step - 1) & -step


@dataclass(slots=True)
class Incoming:
    """A message that came in: its header, parsed, and its body, not parsed until asked for.

    Fields that the message does not have are "" and 0.
    """

    raw: bytes
    kind: int
    body_at: int = 0
    path: str = ""
    interface: str = ""
    member: str = ""
    error: str = ""
    sender: str = ""
    signature: str = ""
    reply_to: int = 0

    def body(self) -> tuple[Any, ...]:
        """The whole body as jeepney represents it: a variant is a pair of signature and value."""
        if not self.signature:
            return ()
        _, endianness = _endian(self.raw[0])
        values, _ = _type(f"({self.signature})").parse_data(self.raw, self.body_at, endianness)
        return tuple(values)

    def text(self) -> str:
        """The first string of the body: of an error its message, of PropertiesChanged the interface."""
        if not self.signature.startswith("s"):
            return ""
        u32, _ = _endian(self.raw[0])
        size = u32(self.raw, self.body_at)[0]
        return self.raw[self.body_at + 4 : self.body_at + 4 + size].decode()

    def rows(self) -> list[tuple[Any, ...]]:
        """The structs in the one array that the body is, of strings, paths and 32-bit numbers only."""
        if not (self.signature.startswith("a(") and _PLAIN.issuperset(fields := self.signature[2:-1])):
            raise Malformed(f"a list of plain rows was expected, not {self.signature!r}")
        raw, (u32, _) = self.raw, _endian(self.raw[0])
        at = _aligned(self.body_at + 4, 8)
        end = at + u32(raw, self.body_at)[0]
        found = []
        while at < end:
            at = (at + 7) & -8
            row: list[str | int] = []
            for kind in fields:
                at = (at + 3) & -4
                number, at = u32(raw, at)[0], at + 4
                if kind == "u":
                    row.append(number)
                else:
                    row.append(raw[at : at + number].decode())
                    at += number + 1
            found.append(tuple(row))
        return found

    def skim(self, wanted: Mapping[bytes, str]) -> dict[str, Any]:
        """The values of the wanted keys in the body's dictionary: for bodies `a{sv}…` and `sa{sv}…`.

        `wanted` maps a key, in bytes, to the name it has in the result. Byte arrays are `bytes`, the rest as in `body`.
        """
        u32, endianness = _endian(self.raw[0])
        at = self.body_at
        if self.signature.startswith("sa{sv}"):
            at += 5 + u32(self.raw, at)[0]
        elif not self.signature.startswith("a{sv}"):
            raise Malformed(f"a dictionary was expected, not {self.signature!r}")
        return _skim(self.raw, _aligned(at, 4), wanted, u32, endianness)


def parse(raw: bytes) -> Incoming:
    """A whole message, as `frame_size` cut it out."""
    u32, _ = _endian(raw[0])
    message = Incoming(raw=raw, kind=raw[1])
    end = HEADER_BYTES + u32(raw, 12)[0]
    at = HEADER_BYTES
    while at < end:
        at = _aligned(at, 8)
        code, kind, at = raw[at], raw[at + 2], at + 4  # the field's code; its type, of one letter; the value
        if kind in (_STRING, _OBJECT):
            size = u32(raw, at)[0]
            value: str | int = raw[at + 4 : at + 4 + size].decode()
            at += 5 + size
        elif kind == _SIGNATURE:
            value = raw[at + 1 : at + 1 + raw[at]].decode()
            at += 2 + raw[at]
        elif kind == _UINT32:
            value = u32(raw, at)[0]
            at += 4
        else:
            raise Malformed(f"a header field of type {kind}")
        if code < len(_FIELDS) and _FIELDS[code]:
            setattr(message, _FIELDS[code], value)
    message.body_at = _aligned(end, 8)
    return message


def _skim(raw: bytes, at: int, wanted: Mapping[bytes, str], u32: Any, endianness: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    size = u32(raw, at)[0]
    at = _aligned(at + 4, 8)
    end = at + size
    while at < end and len(found) < len(wanted):
        at = (at + 7) & -8
        size = u32(raw, at)[0]
        key = raw[at + 4 : at + 4 + size]
        at += 5 + size
        size = raw[at]
        signature = raw[at + 1 : at + 1 + size]
        at += 2 + size
        if key in wanted:
            value, at = _type(signature.decode()).parse_data(raw, at, endianness)
            found[wanted[key]] = bytes(value) if signature == b"ay" else value
        else:
            at = _behind(raw, at, signature, u32, endianness)
    return found


def _behind(raw: bytes, at: int, signature: bytes, u32: Any, endianness: Any) -> int:
    """Where the value at `at` ends."""
    kind = signature[0]
    if kind in _FIXED:
        size = _FIXED[kind]
        return ((at + size - 1) & -size) + size
    if kind in (_STRING, _OBJECT):
        at = (at + 3) & -4
        return int(at + 5 + u32(raw, at)[0])
    if kind == _ARRAY:
        at = (at + 3) & -4
        return int(_aligned(at + 4, _ALIGNMENT[signature[1]]) + u32(raw, at)[0])
    _, at = _type(signature.decode()).parse_data(raw, at, endianness)
    return at
