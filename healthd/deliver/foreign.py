"""The door to apprise: a library of very many services, which an operator may install. Blocks; run in a thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthd.errors import DeliveryError

if TYPE_CHECKING:
    from collections.abc import Sequence


def told(urls: Sequence[str], title: str, body: str, kind: str) -> None:
    """Have all services take it; raises `DeliveryError`."""
    try:
        import apprise  # type: ignore[import-not-found,import-untyped,unused-ignore]  # noqa: PLC0415
    except ImportError as error:
        raise DeliveryError(f"apprise cannot be used here ({error}): apt install apprise") from None
    services = apprise.Apprise()
    for number, url in enumerate(urls, 1):
        if not services.add(url):
            raise DeliveryError(f"apprise does not understand address {number} of apprise_urls")
    if not services.notify(title=title, body=body, notify_type=kind):
        raise DeliveryError("apprise says that not every service took it")
