"""What a configuration needs to have loaded before anything runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from healthd.config.settings import Settings

_HTTPS: Final = "https:"


def needs_tls(settings: Settings) -> bool:
    """Whether TLS is spoken anywhere: by the listeners, or by a probe that is asked to."""
    if settings.http.tls_certificate:
        return True
    return any(
        str(component.options.get("url", "")).lower().startswith(_HTTPS)
        or (component.type == "certificate" and "address" in component.options)
        for component in settings.component.values()
    )
