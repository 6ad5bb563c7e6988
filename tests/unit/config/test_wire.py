"""Texts that stand for bytes."""

from __future__ import annotations

import pytest

from healthd.config import load_texts
from healthd.config.show import tables, text
from healthd.config.wire import to_bytes
from tests.unit.config.said import only

PROBE = '[component.broker]\ntype = "tcp"\naddress = "127.0.0.1:5672"\n'


@pytest.mark.parametrize(
    ("said", "sent"),
    [
        ("PING\r\n", b"PING\r\n"),
        ("AMQP\x00\x00\x09\x01", b"AMQP\x00\x00\t\x01"),
        ("\xffSMB", b"\xffSMB"),
        ("grüße", b"gr\xfc\xdfe"),
        ("ü €", "ü €".encode()),
    ],
)
def test_a_character_of_one_byte_is_one_byte_and_others_make_it_utf_8(said: str, sent: bytes) -> None:
    assert to_bytes(said) == sent


@pytest.mark.parametrize("key", ["send", "expect"])
def test_any_byte_can_be_sent_and_expected(key: str) -> None:
    every = "".join(map(chr, range(256)))
    escaped = "".join(f"\\u{number:04x}" for number in range(256))

    settings = load_texts({"a.toml": f'{PROBE}{key} = "{escaped}"\n'})

    assert settings.component["broker"].options[key] == every
    shown = text(tables(settings))
    assert load_texts({"shown.toml": shown}).component["broker"].options[key] == every
    assert {letter for letter in shown if letter < " " or "\x7f" <= letter <= "\x9f"} == {"\n"}


def test_what_is_sent_is_a_text() -> None:
    assert only(f"{PROBE}send = 5\n") == (
        'a.toml:4: component.broker.send: found 5; allowed is a text; "\\u00ff" in it is the byte FF'
    )
