"""Which name servers are asked whether they are there, and for how long an answer stands."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from healthd.errors import HealthdError, NoAnswer, ReadError
from healthd.net import nameservers
from healthd.net.nameservers import NameServers
from healthd.probes import NameServer, Resolved
from healthd.soon import waited

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


class Servers:
    """Servers that answer but for those in `fails`; `asked` lists which were, in order."""

    def __init__(self, **fails: HealthdError) -> None:
        self.asked: list[str] = []
        self.fails: dict[str, HealthdError] = dict(fails)

    async def resolve(self, name: str, record: str, *, server: str, deadline: float) -> Resolved:
        assert (name, record, deadline) == (".", "NS", 2.0)
        self.asked.append(server)
        if server in self.fails:
            raise self.fails[server]
        return Resolved(server=server, rcode="REFUSED")


def conf(tmp_path: Path, *servers: str) -> Path:
    file = tmp_path / "resolv.conf"
    file.write_text("search example.org\n" + "".join(f"nameserver {server}\n" for server in servers))
    return file


def looks(file: Path, servers: Servers, times: int = 1, *, local: bool = False) -> tuple[NameServer, ...]:
    """What the last of some looks in a row says."""

    async def look() -> tuple[NameServer, ...]:
        known = NameServers(file, servers.resolve)
        for _ in range(times - 1):
            await waited(known.ask(deadline=2.0, local=local))
        return await waited(known.ask(deadline=2.0, local=local))

    return asyncio.run(look())


def test_any_answer_counts_and_stands_for_some_time(tmp_path: Path) -> None:
    servers = Servers()
    seen = looks(conf(tmp_path, "9.9.9.9", "127.0.0.53", "9.9.9.9"), servers, 3)

    assert seen == (NameServer(address="9.9.9.9"), NameServer(address="127.0.0.53"))
    assert servers.asked == ["9.9.9.9", "127.0.0.53"]


def test_an_answer_is_asked_for_again_when_it_has_stood_long_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nameservers, "STANDS_SECONDS", -1.0)
    servers = Servers()
    looks(conf(tmp_path, "9.9.9.9"), servers, 2)

    assert servers.asked == ["9.9.9.9", "9.9.9.9"]


def test_a_server_that_does_not_answer_is_asked_again_each_time(tmp_path: Path) -> None:
    servers = Servers(**{"9.9.9.9": NoAnswer("refused", "9.9.9.9: connection refused")})

    assert looks(conf(tmp_path, "9.9.9.9"), servers, 2) == (
        NameServer(address="9.9.9.9", problem="connection refused"),
    )
    assert servers.asked == ["9.9.9.9", "9.9.9.9"]


def test_that_this_host_cannot_ask_is_not_the_server_s_fault(tmp_path: Path) -> None:
    servers = Servers(**{"9.9.9.9": ReadError("too many open files")})

    assert looks(conf(tmp_path, "9.9.9.9"), servers) == (NameServer(address="9.9.9.9", unasked="too many open files"),)


def test_a_host_without_a_way_out_asks_only_those_of_its_own(tmp_path: Path) -> None:
    servers = Servers()
    looks(conf(tmp_path, "9.9.9.9", "127.0.0.53", "::1"), servers, local=True)

    assert servers.asked == ["127.0.0.53", "::1"]


def test_a_host_that_names_no_server_has_none(tmp_path: Path) -> None:
    assert looks(conf(tmp_path), Servers()) == ()
    assert looks(tmp_path / "none", Servers()) == ()
