"""E-mail: one thread for an alert, in plain text and in HTML."""

from __future__ import annotations

import html
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, localtime
from typing import TYPE_CHECKING, Any, Final

from healthd.config.forms import mail_address
from healthd.config.kinds import Credential, each_of
from healthd.errors import DeliveryError
from healthd.letters import Why
from healthd.registry import ReceiverSpec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from healthd.config import AlertingSettings
    from healthd.letters import Letter
    from healthd.registry import Reveal, Ways

_SUBJECT_CHARS: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The mail server as a URL with user and password, and who gets mail."""

    server: str
    to: tuple[str, ...]


def options(settings: AlertingSettings, reveal: Reveal) -> Options:
    """What of the settings it needs. A credential holds addresses, apart by spaces, commas or lines."""

    def address(said: Any) -> str:
        if not isinstance(said, Credential):
            return str(said)  # which is no secret
        return " ".join(map(_known, reveal(said).replace(",", " ").split()))

    return Options(server=reveal(settings.smtp_url), to=each_of(settings.email_notifications, address))


def _known(address: str) -> str:
    """As mail servers know it; what is no address stays as it is, and is refused when it is told."""
    try:
        return mail_address(address)
    except ValueError:
        return address


async def send(ways: Ways, letter: Letter, options: Options) -> Mapping[str, DeliveryError]:
    """Send one mail to all. Returns who did not get it: what is no address keeps nobody else from it."""
    wrong = {to: DeliveryError("it is no e-mail address", final=True) for to in options.to if not _is_address(to)}
    to = tuple(each for each in options.to if each not in wrong)
    if not to:
        return wrong
    message = mail(letter, to)
    refused = await ways.mail(options.server, str(message["From"]), to, message.as_bytes(policy=SMTP))
    return {**wrong, **refused}


def _is_address(text: str) -> bool:
    try:
        return mail_address(text) == text
    except ValueError:
        return False


def mail(letter: Letter, to: tuple[str, ...]) -> EmailMessage:
    """The mail. All of one alert have the same thread: each answers to the first, which need never have existed."""
    domain = _domain(letter.host)
    message = EmailMessage()
    message["From"] = f"healthd@{domain}"
    message["To"] = ", ".join(to)
    message["Subject"] = _line(f"[{_word(letter)}] {letter.host}: {letter.title}")[:_SUBJECT_CHARS]
    message["Date"] = format_datetime(datetime.fromtimestamp(letter.at, UTC))
    message["Message-ID"] = f"<healthd-{letter.id}@{domain}>"
    thread = f"<healthd-{letter.key}@{domain}>"
    message["In-Reply-To"] = thread
    message["References"] = thread
    message["Auto-Submitted"] = "auto-generated"
    message["X-Healthd-Alert"] = letter.key
    if letter.gave_up and not letter.over:
        message["Importance"] = "high"
    if letter.note:
        message["Importance"] = "low"
    message.set_content(plain(letter))
    message.add_alternative(marked_up(letter), subtype="html")
    return message


def plain(letter: Letter) -> str:
    """The text for those who read text."""
    return "\n".join(f"{title}\n{body}\n" if title else f"{body}\n" for title, body in _parts(letter))


def marked_up(letter: Letter) -> str:
    """The same for those who see HTML."""
    parts = []
    for title, body in _parts(letter):
        head = f"<h3>{html.escape(title)}</h3>" if title else ""
        block = "pre" if title else "p"
        parts.append(f"{head}<{block}>{html.escape(body)}</{block}>")
    return f"<!doctype html><html><body>{''.join(parts)}</body></html>"


def _parts(letter: Letter) -> list[tuple[str, str]]:
    opened = format_datetime(localtime(datetime.fromtimestamp(letter.opened_at, UTC)))
    issues = "\n".join(
        f"{issue.id}: {'open' if issue.open else 'over'}, {issue.severity}. {issue.message}".rstrip()
        for issue in letter.issues
    )
    parts = [
        ("", letter.title),
        ("", letter.text),
        ("Issues", issues),
        ("Changed before", letter.changed),
        ("Its last lines", "\n".join(letter.evidence)),
        ("To know more", "\n".join(letter.hints)),
        ("", f"healthd on {letter.host}; {letter.level}, since {opened}"),
    ]
    return [(title, body) for title, body in parts if body]


def _word(letter: Letter) -> str:
    if letter.over:
        return "over"
    return "test" if letter.why is Why.TEST else "GAVE UP" if letter.gave_up else letter.level


def _domain(host: str) -> str:
    """A name of the host as it may stand behind an @."""
    kept = "".join(letter for letter in host if letter.isascii() and (letter.isalnum() or letter in ".-")).strip(".-")
    return kept or "localhost"


def _line(text: str) -> str:
    return " ".join(text.split())


RECEIVER = ReceiverSpec(name="email", options=options, send=send, each="to", together=True)
