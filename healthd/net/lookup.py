"""A question to name servers: over UDP, more than once where nothing comes, over TCP where the answer is long."""

from __future__ import annotations

import asyncio
import os
import socket
from typing import TYPE_CHECKING, Final

from healthd.errors import HealthdError, NoAnswer, ReadError
from healthd.net.dns import Reply, question, reply
from healthd.net.line import PlainLine, connect, translated
from healthd.net.places import find, literal, split
from healthd.probes import Resolved

if TYPE_CHECKING:
    from pathlib import Path

    from healthd.net.aside import Aside
    from healthd.net.limit import Limit
    from healthd.net.places import Place

_PORT: Final = 53
_SERVERS_MAX: Final = 3
_TIMES: Final = 2
_DATAGRAM: Final = 4096
_ASK_ANOTHER: Final = frozenset({"SERVFAIL", "REFUSED", "NOTIMP", "FORMERR"})


def servers_of(resolv_conf: Path) -> list[str]:
    """The name servers of this host, as resolv.conf(5) has it."""
    return named_servers(resolv_conf) or ["127.0.0.1"]


def named_servers(resolv_conf: Path) -> list[str]:
    """Those that it names."""
    try:
        lines = resolv_conf.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        lines = []
    except OSError as error:
        raise ReadError(f"cannot read {resolv_conf}: {(error.strerror or '').lower()}") from error
    words = [line.split() for line in lines]
    found = [each[1] for each in words if len(each) > 1 and each[0] == "nameserver"]
    return found[:_SERVERS_MAX]


def server_of(said: str) -> tuple[str, int]:
    """Address and port of a server as an operator writes it: ADDRESS, ADDRESS:PORT, [IPV6]:PORT."""
    if literal(said.partition("%")[0], _PORT) or ":" not in said:
        return said, _PORT
    try:
        return split(said)
    except ValueError as error:
        raise ReadError(f"{said} is no name server: {error}") from error


async def resolve(name: str, record: str, servers: list[str], aside: Aside, limit: Limit) -> Resolved:
    """What the first of these servers says that has an answer. Raises NoAnswer and ReadError."""
    try:
        asked = question(name, record, int.from_bytes(os.urandom(2)))
    except ValueError as error:
        raise ReadError(str(error)) from error
    with limit.otherwise(NoAnswer("timeout", f"no answer from {', '.join(servers)} within {limit.seconds:g} s")):
        return await _first_answer(asked, servers, aside, limit)


async def _first_answer(asked: bytes, servers: list[str], aside: Aside, limit: Limit) -> Resolved:
    """In turn, each twice: datagrams get lost."""
    missed, failed = limit.missed, None
    tries = [(server, *server_of(server)) for _ in range(_TIMES) for server in servers]
    for number, (said, host, port) in enumerate(tries, 1):
        more = len(tries) - number
        limit.missed = missed
        try:
            async with asyncio.timeout(limit.left() / (more + 1) if more else None):
                answer = await _ask(asked, await find(host, port, aside, limit), limit)
        except TimeoutError:
            failed = missed
        except OSError as error:
            failed = _of(said, translated(error))
        except NoAnswer as error:
            failed = _of(said, error)
        else:
            # What one server cannot say another one may, as long as there is one that was not asked.
            if answer.rcode not in _ASK_ANOTHER or number >= len(servers):
                return Resolved(server=said, rcode=answer.rcode, records=answer.records)
    raise failed or missed


def _of(server: str, error: HealthdError) -> HealthdError:
    return NoAnswer(error.cause, f"{server}: {error}") if isinstance(error, NoAnswer) else error


async def _ask(asked: bytes, places: list[Place], limit: Limit) -> Reply:
    if not places:
        raise NoAnswer("dns", "the server has no address")
    try:
        answer = await _by_datagram(asked, places[0])
        return await _by_stream(asked, places, limit) if answer.truncated else answer
    except ValueError as error:
        raise NoAnswer("protocol", str(error)) from error


async def _by_datagram(asked: bytes, place: Place) -> Reply:
    loop = asyncio.get_running_loop()
    with socket.socket(place.family, socket.SOCK_DGRAM) as made:
        made.setblocking(False)
        await loop.sock_connect(made, place.address)
        await loop.sock_sendall(made, asked)
        while (answer := reply(await loop.sock_recv(made, _DATAGRAM), asked)) is None:
            pass  # it answers somebody else's question, or is forged
        return answer


async def _by_stream(asked: bytes, places: list[Place], limit: Limit) -> Reply:
    line = PlainLine(await connect(places, limit))
    try:
        await line.send(len(asked).to_bytes(2) + asked)
        heard = b""
        while len(heard) < 2 or len(heard) < 2 + int.from_bytes(heard[:2]):
            data = await line.receive()
            if not data:
                raise NoAnswer("closed", "the connection was closed without an answer")
            heard += data
        answer = reply(heard[2:], asked)
    finally:
        line.close()
    if answer is None:
        raise NoAnswer("protocol", "the answer is one to another question")
    return answer
