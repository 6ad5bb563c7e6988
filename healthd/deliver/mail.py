"""Mail, by SMTP as it is spoken to a relay: TLS, login, one message for all of these. Blocks; run in a thread."""

from __future__ import annotations

import smtplib
import ssl
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, unquote, urlsplit

from healthd.errors import DeliveryError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    _Refused = dict[str, tuple[int, bytes]]

_PORTS: Final = {"smtp": 25, "smtps": 465}
_NO_URL: Final = (
    "smtp_url is no URL that begins with smtp:// or smtps:// and names a server; what is no letter or digit in its user"
    " and password is written as %XX there"
)
_HERE: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_SHOWN: Final = 200
_FOR_EVER: Final = 500
_TOO_MUCH: Final = frozenset({552, 554})
"""This message will never be taken. All other refusals may pass, also by somebody mending a password or an address."""


def mailed(server: str, sender: str, to: Sequence[str], message: bytes, seconds: float) -> Mapping[str, DeliveryError]:
    """Have it taken for these, each step within so many seconds. Returns who was refused; raises if nobody was asked.

    Who is refused for now (4xx) may be taken later, as of greylisting or a mailbox that is full.
    """
    try:
        refused = _talk(server, sender, to, message, seconds)
    except smtplib.SMTPRecipientsRefused as error:
        refused = error.recipients
    except smtplib.SMTPResponseException as error:
        text = _text(error.smtp_error)
        final = error.smtp_code in _TOO_MUCH and not isinstance(error, smtplib.SMTPAuthenticationError)
        raise DeliveryError(f"the mail server says {error.smtp_code} {text[:_SHOWN]}", final=final) from None
    except (smtplib.SMTPException, ssl.SSLError, OSError, ValueError) as error:
        raise DeliveryError(f"the mail server: {str(error)[:_SHOWN] or type(error).__name__}") from None
    return {
        address: DeliveryError(f"the mail server says {code} {_text(text)[:_SHOWN]}", final=code >= _FOR_EVER)
        for address, (code, text) in refused.items()
    }


def _text(said: bytes | str) -> str:
    return " ".join((said.decode("utf-8", "replace") if isinstance(said, bytes) else said).split())


def _talk(server: str, sender: str, to: Sequence[str], message: bytes, seconds: float) -> _Refused:
    """TLS from the first byte for smtps, else as soon as the server offers it, and before any password."""
    parts, host, port = _read(server)
    context = _context(host)
    if parts.scheme == "smtps":
        session: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=seconds, context=context)
    else:
        session = smtplib.SMTP(host, port, timeout=seconds)
    with session:
        session.ehlo_or_helo_if_needed()
        safe = parts.scheme == "smtps" or host in _HERE
        if parts.scheme == "smtp" and session.has_extn("starttls"):
            session.starttls(context=context)
            session.ehlo()
            safe = True
        if parts.username:
            if not safe:
                raise DeliveryError("the mail server offers no TLS: the password is not sent to it in the clear")
            session.login(unquote(parts.username), unquote(parts.password or ""))
        return session.sendmail(sender, list(to), message)


def _read(server: str) -> tuple[SplitResult, str, int]:
    """What the URL says. It is never repeated: a password that is not escaped stands anywhere in it."""
    try:
        parts = urlsplit(server)
        port = parts.port or _PORTS[parts.scheme]
    except (ValueError, KeyError):
        raise DeliveryError(_NO_URL) from None
    if not parts.hostname or parts.path.strip("/") or parts.query or parts.fragment:
        raise DeliveryError(_NO_URL)
    return parts, parts.hostname, port


def _context(host: str) -> ssl.SSLContext:
    """A mail server on this very host has no certificate that anybody signed, and needs none."""
    context = ssl.create_default_context()
    if host in _HERE:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
