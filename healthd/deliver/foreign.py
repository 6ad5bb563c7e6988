"""The door to apprise: a library of very many services, which an operator may install. Blocks; run in a thread."""

from __future__ import annotations

from healthd.errors import DeliveryError


def told(url: str, title: str, body: str, kind: str) -> None:
    """Have the service take it; raises `DeliveryError`."""
    try:
        import apprise  # type: ignore[import-not-found,import-untyped,unused-ignore]  # noqa: PLC0415
    except ImportError as error:
        raise DeliveryError(f"apprise cannot be used here ({error}): apt install apprise") from None
    services = apprise.Apprise()
    if not services.add(url):
        raise DeliveryError("apprise does not understand it", final=True)
    if not services.notify(title=title, body=body, notify_type=kind):
        raise DeliveryError("apprise says that the service did not take it")
