"""A network that answers as a test says; fulfils `ports.Net`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from healthd.errors import HealthdError, NoAnswer
from healthd.probes import Certificate, Fetched, NameServer, Resolved

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.fakes import FakeClock


@dataclass(kw_only=True)
class FakeNet:
    """`answers` by URL, address, name or path: a value, or an error to be raised. What is not in it refuses.

    `asked` lists what was asked, with its arguments. Each answer takes `seconds` of `clock`.
    """

    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    clock: FakeClock | None = None
    seconds: float = 0.0
    servers: tuple[NameServer, ...] = ()

    async def fetch(self, url: str, **how: Any) -> Fetched:
        answer: Fetched = self._answer(url, how)
        return answer

    async def talk(self, address: str, **how: Any) -> None:
        self._answer(address, how)

    async def resolve(self, name: str, record: str, **how: Any) -> Resolved:
        answer: Resolved = self._answer(name, {"record": record, **how})
        return answer

    async def name_servers(self, *, deadline: float, local: bool) -> tuple[NameServer, ...]:
        self.asked.append(("name servers", {"deadline": deadline, "local": local}))
        return self.servers

    async def shown_certificate(self, address: str, **how: Any) -> Certificate:
        answer: Certificate = self._answer(address, how)
        return answer

    async def kept_certificates(self, path: str, **how: Any) -> Mapping[str, tuple[Certificate, ...]]:
        answer: Mapping[str, tuple[Certificate, ...]] = self._answer(path, how)
        return answer

    def _answer(self, what: str, how: dict[str, Any]) -> Any:
        self.asked.append((what, how))
        if self.clock is not None:
            self.clock.advance(self.seconds)
        answer = self.answers.get(what, NoAnswer("refused", "connection refused"))
        if isinstance(answer, HealthdError):
            raise answer
        return answer
