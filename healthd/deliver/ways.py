"""The ways to receivers: HTTP and mail, each try under its limit of time. Fulfils `registry.Ways`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from healthd.errors import DeliveryError, NoAnswer, ReadError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from healthd.ports import Clock, Net
    from healthd.probes import Fetched

HTTP_SECONDS: Final = 10.0
MAIL_SECONDS: Final = 30.0
_SHOWN: Final = 200
_ANSWER: Final = 4096
_REFUSED: Final = frozenset({400, 405, 406, 413, 414, 415, 422, 431})
"""This letter will never be taken. All other errors may pass, also by somebody mending a key or an address."""


class Wires:
    """To the world, over `net` and by mail."""

    def __init__(self, net: Net, clock: Clock, *, seconds: float = HTTP_SECONDS, mail: float = MAIL_SECONDS) -> None:
        self._net, self._clock, self._seconds, self._mail = net, clock, seconds, mail

    def wall(self) -> float:
        """Unix seconds."""
        return self._clock.wall()

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Have an HTTP server take this JSON."""
        await self._ask(url, "POST", {"Content-Type": "application/json", **headers}, body)

    async def get(self, url: str) -> None:
        """Have an HTTP server answer."""
        await self._ask(url, "GET", {}, b"")

    async def _ask(self, url: str, method: str, headers: Mapping[str, str], body: bytes) -> None:
        try:
            answer = await self._net.fetch(
                url, deadline=self._seconds, method=method, headers=headers, body=body, follow=False, limit=_ANSWER
            )
        except NoAnswer as error:
            raise DeliveryError(str(error)) from None
        except ReadError:
            raise DeliveryError("its address cannot be asked: is it a URL of a server that can be reached?") from None
        if not 200 <= answer.status < 300:
            raise DeliveryError(_words(answer), wait=self._wait(answer), final=answer.status in _REFUSED)

    async def mail(self, server: str, sender: str, to: Sequence[str], message: bytes) -> Mapping[str, DeliveryError]:
        """Have a mail server take this message for these; returns why it does not for some of them."""
        from healthd.deliver.mail import mailed  # noqa: PLC0415  what has no mail to send starts sooner without

        try:
            async with asyncio.timeout(self._mail):
                return await asyncio.to_thread(mailed, server, sender, to, message, self._mail / 3)
        except TimeoutError:
            raise DeliveryError(f"the mail server did not take it within {self._mail:g} s") from None

    async def apprise(self, url: str, title: str, body: str, kind: str) -> None:
        """Have this service take it."""
        from healthd.deliver.foreign import told  # noqa: PLC0415  hardly anybody has it

        try:
            async with asyncio.timeout(self._mail):
                await asyncio.to_thread(told, url, title, body, kind)
        except TimeoutError:
            raise DeliveryError(f"apprise had not sent it within {self._mail:g} s") from None

    def _wait(self, answer: Fetched) -> float | None:
        """What Retry-After asks for, in seconds; None for nothing that could be understood."""
        said = answer.headers.get("retry-after", "").strip()
        if said.isdecimal() and len(said) < 10:
            return float(said)
        if not said:
            return None
        from email.utils import parsedate_to_datetime  # noqa: PLC0415  hardly anybody says a date

        try:
            return max(0.0, parsedate_to_datetime(said).timestamp() - self._clock.wall())
        except (ValueError, OverflowError):
            return None


def _words(answer: Fetched) -> str:
    said = " ".join(answer.body.decode("utf-8", "replace").split())[:_SHOWN]
    return f"it answered {answer.status}{': ' if said else ''}{said}"
