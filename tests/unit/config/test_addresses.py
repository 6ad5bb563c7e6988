"""Addresses of those who are told: what cannot be one is refused with what is wrong with it, and with what to write."""

from __future__ import annotations

import pytest

from healthd.config import load_texts
from tests.unit.config.said import only, said

ESCAPED = "what is no letter or digit in user and password is written as %XX"


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ('webhook_url = "http://h:99999/x"', "ports go from 1 to 65535"),
        ('webhook_url = "http://h:0/"', "ports go from 1 to 65535"),
        ('webhook_url = "http://[::1]:65536/"', "ports go from 1 to 65535"),
        ('webhook_url = "http:///x"', "it names no host"),
        ('webhook_url = "http://:80/x"', "it names no host"),
        ('webhook_url = "http://u:p@"', "it names no host"),
        ('webhook_url = "http://h/a b"', "a space in it is written as %20"),
        ('webhook_url = "http://h ost/"', "a space in it is written as %20"),
        ('webhook_url = "http://h/\u00fc"', "what is not printable ASCII in it is written as %XX"),
        (
            'webhook_url = "http://\u00fc/"',
            "a host's name that is not ASCII is written as xn--..., anything else as %XX",
        ),
        (f'webhook_url = "http://h/{"x" * 4096}"', "it is longer than 4096 characters"),
        ('webhook_url = "http://h:http/"', f"behind http:// comes HOST or HOST:PORT; {ESCAPED}"),
        ('alertmanager_url = "http://h:99999"', "ports go from 1 to 65535"),
        ('smtp_url = "smtp://mx:99999"', "ports go from 1 to 65535"),
        ('smtp_url = "smtp://mx:0"', "ports go from 1 to 65535"),
        ('smtp_url = "smtp://mx/inbox"', f"nothing may follow its host and port; {ESCAPED}"),
        ('smtp_url = "smtp://mx?tls=1"', f"nothing may follow its host and port; {ESCAPED}"),
        ('smtp_url = "smtp://u:12/3@mx"', f"nothing may follow its host and port; {ESCAPED}"),
        ('smtp_url = "smtp://u:a#b@mx"', f"behind smtp:// comes HOST or HOST:PORT; {ESCAPED}"),
    ],
)
def test_what_is_wrong_with_a_url_is_said_on_its_line(line: str, hint: str) -> None:
    words = only(f"[alerting]\n{line}\n")

    assert words.startswith(f"a.toml:2: alerting.{line.partition(' ')[0]}: found ")
    assert words.endswith(f"; {hint}")


@pytest.mark.parametrize(
    "line",
    [
        'webhook_url = "http://h"',
        'webhook_url = "https://u:p@h.example.org:65535/a?b=c#d"',
        'webhook_url = "http://[::1]/x"',
        'webhook_url = "http://[fe80::1%eth0]:1/x"',
        'webhook_url = ""',
        'smtp_url = "smtp://mx/"',
        'smtp_url = "smtps://bob:a%40b@mx.example.org:465"',
        'smtp_url = ""',
        'apprise_urls = ["ntfy://topic", "json://u:p@h/"]',
    ],
)
def test_what_is_right_is_taken(line: str) -> None:
    assert said(a=f"[alerting]\n{line}\n") == []


def test_mail_without_a_mail_server_is_told_with_what_to_do() -> None:
    assert only('[alerting]\nemail_notifications = ["ops@example.org"]\nsmtp_url = ""\n') == (
        'a.toml:3: alerting.smtp_url: found "" though email_notifications says who gets mail; '
        'name the mail server, such as "smtp://localhost:25", or leave it out'
    )


@pytest.mark.parametrize(
    ("address", "hint"),
    [
        ("\u00fcber@example.org", "what stands before the @ must be ASCII: not every mail server takes anything else"),
        ("ops@\u00fc..org", "what stands behind the @ is no name of a domain"),
        ("ops@" + 70 * "\u00fc" + ".org", "what stands behind the @ is no name of a domain"),
    ],
)
def test_a_mail_address_that_would_stop_all_mail_is_refused_with_what_is_wrong(address: str, hint: str) -> None:
    words = only(f'[alerting]\nemail_notifications = ["ops@example.org", "{address}"]\n')

    assert words.startswith("a.toml:2: alerting.email_notifications[1]: found ")
    assert words.endswith(f"; {hint}")


@pytest.mark.parametrize("address", ["nobody", "a@b@c", "a b@c", "@c", "a@", "a@b\u200b", ""])
def test_what_is_no_mail_address_is_told(address: str) -> None:
    assert only(f'[alerting]\nemail_notifications = ["{address}"]\n').startswith(
        "a.toml:2: alerting.email_notifications[0]: found "
    )


def test_a_domain_that_is_not_ascii_is_taken_as_mail_servers_know_it() -> None:
    text = '[alerting]\nemail_notifications = ["ops@b\u00fccher.example"]\n'

    assert load_texts({"a": text}).alerting.email_notifications == ("ops@xn--bcher-kva.example",)


@pytest.mark.parametrize("address", ["ntfy", "ntfy:topic", "://x", "ntfy://", "json://h a"])
def test_what_no_address_of_apprise_can_be_is_told(address: str) -> None:
    assert only(f'[alerting]\napprise_urls = ["{address}"]\n').startswith("a.toml:2: alerting.apprise_urls[0]: found ")
