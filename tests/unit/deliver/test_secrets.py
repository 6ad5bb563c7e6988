"""What is secret of a credential is not said, not even a part of it that somebody else repeats."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from healthd.config.kinds import Credential
from healthd.deliver.mail import mailed
from healthd.deliver.secrets import Secrets
from healthd.errors import DeliveryError

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "hunter2"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (f"https://chat.example.org/services/{SECRET}", f"Cannot POST /services/{SECRET}"),
        (f"https://chat.example.org/hook?key={SECRET}", f"no such key: {SECRET}"),
        (f"https://ping.example.org/{SECRET}?create=1", f"404 /{SECRET}"),
        (f"smtp://bob:{SECRET}@mx", f"535 bob may not use {SECRET}"),
        ("smtp://bob:hunt%65r2@mx", f"535 bob may not use {SECRET}"),
        (f"https://{SECRET}@chat.example.org", f"who is {SECRET}?"),
        (f"https://chat.example.org/services/T1/{SECRET}", f"there is no channel {SECRET}"),
        (f"https://chat.example.org/{SECRET}/slack", f"{SECRET} is not allowed here"),
        ("https://chat.example.org/services/hunter%32", f"there is no channel {SECRET}"),
        ("https://chat.example.org/a%20b/hunter%32", f"Cannot POST /a b/{SECRET}"),
        ("https://chat.example.org/a%2fb/hunter%32", f"Cannot POST /a/b/{SECRET}"),
        (f"https://chat.example.org/a b~/{SECRET}", f"Cannot POST /a%20b~/{SECRET}"),
        (f"https://chat.example.org/one\nhttps://chat.example.org/{SECRET}", f"there is no {SECRET}"),
        (f"tgram://{SECRET}/12345", f"bot {SECRET} is unknown"),
        (SECRET, f"who is {SECRET}?"),
    ],
)
def test_no_part_of_it_is_said(value: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "healthd_x").write_text(value + "\n", encoding="utf-8")
    secrets = Secrets(tmp_path)

    assert secrets.reveal(Credential(name="x")) == value
    assert SECRET not in secrets.without(said)
    assert "***" in secrets.without(said)


def test_what_is_no_secret_is_said() -> None:
    secrets = Secrets(None)
    secrets.reveal("smtp://healthd:hunter2@mx.example.org:25")
    secrets.reveal("https://chat.example.org")
    secrets.reveal("http://127.0.0.1:5080/services/hook/v1")
    secrets.reveal("json://127.0.0.1:5999/down")

    for said in (
        "the mail server says 550 no healthd here",
        "chat.example.org answered 404 at /",
        "the webhook serves no services there",
        "address 2 (127.0.0.1:5998): connection refused",
    ):
        assert secrets.without(said) == said


@pytest.mark.parametrize(
    "server",
    [
        "smtp://bob:hunter2#more@127.0.0.1:25",
        "smtp://bob:hunter2/more@127.0.0.1:25",
        "smtp://bob:12#hunter2@127.0.0.1",
        "https://bob:hunter2@127.0.0.1",
        "bob:hunter2@127.0.0.1",
        "mail.example.org:25",
        "smtp://",
        "",
    ],
)
def test_a_mail_server_that_is_no_url_is_said_to_be_none_without_saying_it(server: str) -> None:
    with pytest.raises(DeliveryError, match="smtp_url is no URL that begins with smtp://") as failed:
        mailed(server, "healthd@here", ["ops@example.org"], b"", 1.0)

    assert "hunter2" not in str(failed.value)
