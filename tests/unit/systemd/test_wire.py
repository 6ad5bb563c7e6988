"""Frames, headers and skimmed dictionaries, held against jeepney's own reading of the same bytes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jeepney import DBusAddress, Endianness, HeaderFields, Message, new_error, new_method_call, new_signal

from healthd.systemd import wire

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
NUMBERS = {"y": 8, "q": 16, "u": 32, "t": 64}

VARIANTS = st.one_of(
    TEXT.map(lambda text: ("s", text)),
    st.booleans().map(lambda value: ("b", value)),
    st.integers(-(2**31), 2**31 - 1).map(lambda value: ("i", value)),
    st.floats(allow_nan=False).map(lambda value: ("d", value)),
    st.sampled_from(list(NUMBERS)).flatmap(
        lambda kind: st.integers(0, 2 ** NUMBERS[kind] - 1).map(lambda value: (kind, value))
    ),
    st.binary(max_size=20).map(lambda value: ("ay", value)),
    st.lists(TEXT, max_size=3).map(lambda value: ("as", value)),
    st.just(("g", "a{sv}")),
    st.lists(st.integers(0, 2**64 - 1), max_size=3).map(lambda value: ("at", value)),
    st.tuples(st.integers(0, 9), st.just("/a")).map(lambda value: ("(uo)", value)),
    st.lists(st.tuples(TEXT, st.lists(TEXT), st.booleans()), max_size=2).map(lambda value: ("a(sasb)", value)),
    st.dictionaries(TEXT, TEXT, max_size=2).map(lambda value: ("a{ss}", value)),
    TEXT.map(lambda text: ("v", ("s", text))),
)


def changed(values: dict[str, Any], endianness: Endianness = Endianness.little) -> bytes:
    """A PropertiesChanged signal."""
    address = DBusAddress("/org/x", interface="org.freedesktop.DBus.Properties")
    signal = new_signal(address, "PropertiesChanged", "sa{sv}as", ("org.x.Y", values, ["Gone"]))
    signal.header.endianness = endianness
    signal.header.fields[HeaderFields.sender] = ":1.7"
    return bytes(signal.serialise(serial=9))


@given(st.dictionaries(TEXT, VARIANTS, max_size=8), st.sampled_from(Endianness), st.data())
def test_what_is_skimmed_is_what_jeepney_reads(
    values: dict[str, Any], endianness: Endianness, data: st.DataObject
) -> None:
    wanted = data.draw(st.sets(st.sampled_from([*values, "Missing"])))
    raw = changed(values, endianness)
    _, expected, _ = Message.from_buffer(raw).body

    skimmed = wire.parse(raw).skim({key.encode(): key for key in wanted})

    assert skimmed == {key: value for key, (_, value) in expected.items() if key in wanted}


@given(st.dictionaries(TEXT, VARIANTS, max_size=5), st.sampled_from(Endianness))
def test_a_body_is_what_jeepney_reads(values: dict[str, Any], endianness: Endianness) -> None:
    raw = changed(values, endianness)

    assert wire.parse(raw).body() == Message.from_buffer(raw).body


def test_a_header_is_read_whole() -> None:
    message = wire.parse(changed({}))

    assert message.kind == wire.SIGNAL
    assert (message.path, message.interface, message.member) == (
        "/org/x",
        "org.freedesktop.DBus.Properties",
        "PropertiesChanged",
    )
    assert (message.sender, message.signature, message.reply_to) == (":1.7", "sa{sv}as", 0)


def test_an_error_says_whose_answer_it_is_its_name_and_its_words() -> None:
    call = new_method_call(DBusAddress("/", bus_name="a.b", interface="a.b"), "Call")
    call.header.serial = 77
    message = wire.parse(new_error(call, "a.b.Error", "s", ("No.",)).serialise(serial=1))

    assert (message.kind, message.reply_to, message.error, message.text()) == (wire.ERROR, 77, "a.b.Error", "No.")


def test_a_message_without_a_body_has_none() -> None:
    raw = new_signal(DBusAddress("/", interface="a.b"), "Empty").serialise(serial=1)

    assert wire.parse(raw).body() == ()
    assert wire.parse(raw).text() == ""


@given(st.lists(st.dictionaries(TEXT, VARIANTS, max_size=2), min_size=1, max_size=3))
def test_frames_end_where_the_next_begin(bodies: list[dict[str, Any]]) -> None:
    frames = [changed(values) for values in bodies]
    stream, at = bytearray(b"".join(frames)), 0
    for frame in frames:
        assert wire.frame_size(stream, at) == len(frame)
        at += len(frame)


def test_a_frame_of_which_too_little_is_there_has_no_size_yet() -> None:
    assert wire.frame_size(bytearray(changed({})[:15]), 0) is None


@pytest.mark.parametrize("garbage", [b"HTTP/1.1 400 Bad Request\r\n", b"l\4\1\1" + b"\xff" * 12])
def test_what_is_no_message_is_malformed(garbage: bytes) -> None:
    with pytest.raises(wire.Malformed):
        wire.frame_size(bytearray(garbage), 0)


@given(
    st.lists(st.tuples(TEXT, TEXT, st.just("/a/b"), st.integers(0, 2**32 - 1), TEXT), max_size=5),
    st.sampled_from([Endianness.little, Endianness.big]),
)
def test_rows_are_what_jeepney_reads_too(rows: list[tuple[Any, ...]], endianness: Endianness) -> None:
    signal = new_signal(DBusAddress("/", interface="a.b"), "Rows", "a(ssous)", (rows,))
    signal.header.endianness = endianness
    message = wire.parse(signal.serialise(serial=1))

    assert message.rows() == rows
    assert [tuple(row) for row in message.body()[0]] == rows


@pytest.mark.parametrize(("signature", "body"), [("s", ("x",)), ("a(st)", ([("x", 1)],)), ("as", (["x"],))])
def test_what_is_no_list_of_plain_rows_is_not_read_as_one(signature: str, body: tuple[Any, ...]) -> None:
    raw = new_signal(DBusAddress("/", interface="a.b"), "Rows", signature, body).serialise(serial=1)

    with pytest.raises(wire.Malformed):
        wire.parse(raw).rows()


def test_a_body_without_a_dictionary_cannot_be_skimmed() -> None:
    raw = new_signal(DBusAddress("/", interface="a.b"), "Word", "s", ("x",)).serialise(serial=1)

    with pytest.raises(wire.Malformed):
        wire.parse(raw).skim({b"a": "a"})
