"""What probes ask the network, and what they are told: values between the checks and the door `net/`."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

BODY_LIMIT: Final = 64 * 1024
"""So much of an answer is looked at (bytes), where nothing else is said."""

REDIRECTS: Final = 5
"""So many redirects are followed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What of an X.509 certificate matters to who watches it. Instants are Unix seconds.

    `common_name` is that of its subject, "" where it has none; `names` are the host names and addresses that it is for.
    """

    not_before: float
    not_after: float
    common_name: str = ""
    names: tuple[str, ...] = ()

    def days_left(self, wall: float) -> float:
        """Days until it expires; negative once it has."""
        return (self.not_after - wall) / 86_400

    def fits(self, host: str) -> bool:
        """Whether it is for this host name or address; a name in it may begin with "*.", for exactly one label."""
        wanted = host.lower().removesuffix(".")
        return wanted in self.names or f"*.{wanted.partition('.')[2]}" in self.names

    @property
    def title(self) -> str:
        """What to call it."""
        return self.common_name or (self.names[0] if self.names else "without a name")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """The answer to an HTTP request. `url` is the one that gave it, after `redirects` redirects.

    Names of `headers` are in small letters. `cut`: the body was longer than the limit, and this is its beginning.
    `certificate`: the one that the server showed, over TLS.
    """

    url: str
    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    redirects: int = 0
    cut: bool = False
    certificate: Certificate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """What a name server said: `rcode` is the word of its answer, `records` are those asked for, as text."""

    server: str
    rcode: str
    records: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NameServer:
    """A name server of this host. `problem`: why it does not answer; "" if it does.

    `unasked`: why this host could not even ask it.
    """

    address: str
    problem: str = ""
    unasked: str = ""
