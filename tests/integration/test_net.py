"""The door to the network over real sockets: who does not answer, who answers late, and that nothing is left open."""

from __future__ import annotations

import asyncio
import socket
import ssl
import subprocess
import sys
import time
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from healthd.errors import HealthdError, NoAnswer, ReadError
from healthd.net import Network

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine

    Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
PATIENCE = 20.0


@asynccontextmanager
async def serving(answer: Handler, *, path: Path | None = None, **how: Any) -> AsyncIterator[int]:
    """A server on a free port, or at a path; its connections are closed with it."""
    writers: list[asyncio.StreamWriter] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await answer(reader, writer)
        writer.close()

    if path is not None:
        server = await asyncio.start_unix_server(handle, path)
    else:
        server = await asyncio.start_server(handle, **{"host": "127.0.0.1", "port": 0, **how})
    async with server:
        yield 0 if path else server.sockets[0].getsockname()[1]
        for writer in writers:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in writers), return_exceptions=True)


async def well(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one request."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(OK)
    await writer.drain()
    writer.close()


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Accept, and say nothing."""
    await reader.read()


def descriptors() -> int:
    """How many this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


def played(scene: Coroutine[Any, Any, None]) -> None:
    """Run a scene to its end."""

    async def play() -> None:
        async with asyncio.timeout(PATIENCE):
            await scene

    asyncio.run(play())


async def failure(asked: Awaitable[object]) -> HealthdError:
    """What a question fails with."""
    with pytest.raises(HealthdError) as caught:
        await asked
    return caught.value


def free_port() -> int:
    """A port of 127.0.0.1 on which nobody listens."""
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        return int(taken.getsockname()[1])


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_page_is_fetched(host: str) -> None:
    async def scene() -> None:
        async with serving(well) as port:
            answer = await Network().fetch(f"http://{host}:{port}/", deadline=5)
            assert (answer.status, answer.body) == (200, b"ok")

    played(scene())


def test_ipv6_is_spoken() -> None:
    async def scene() -> None:
        async with serving(well, host="::1") as port:
            assert (await Network().fetch(f"http://[::1]:{port}/", deadline=5)).status == 200
            await Network().talk(f"[::1]:{port}", send=b"GET / HTTP/1.0\r\n\r\n", expect=b"200 OK", deadline=5)

    played(scene())


def test_a_closed_port_refuses_at_once() -> None:
    async def scene() -> None:
        refused = await failure(Network().fetch(f"http://127.0.0.1:{free_port()}/", deadline=5))
        assert (str(refused), getattr(refused, "cause", "")) == ("connection refused", "refused")

    played(scene())


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_whoever_does_not_answer_is_waited_for_no_longer_than_said(scheme: str) -> None:
    async def scene() -> None:
        async with serving(silent) as port:
            late = await failure(Network().fetch(f"{scheme}://127.0.0.1:{port}/", deadline=0.1))
            assert (str(late), getattr(late, "cause", "")) == ("no answer within 0.1 s", "timeout")

    played(scene())


def test_a_body_without_an_end_is_cut() -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * 10_000)
            await writer.drain()

    async def scene() -> None:
        async with serving(endless) as port:
            answer = await Network().fetch(f"http://127.0.0.1:{port}/", deadline=5)
            assert answer.cut
            assert answer.body == b"x" * 65_536

    played(scene())


def test_a_name_that_nobody_knows_is_said_to_be_unknown() -> None:
    async def scene() -> None:
        unknown = await failure(Network().fetch("http://no-such-host.invalid/", deadline=10))
        assert isinstance(unknown, NoAnswer)
        assert unknown.cause == "dns"
        assert str(unknown).startswith("no-such-host.invalid ")

    played(scene())


def test_a_look_up_that_hangs_holds_up_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    let_go, real = asyncio.Event(), socket.getaddrinfo
    asked: list[bytes] = []

    def stuck(host: Any, *rest: Any, **more: Any) -> Any:
        asked.append(host)
        while host == b"hangs.example" and not let_go.is_set():
            time.sleep(0.01)
        return real("127.0.0.1", *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", stuck)

    async def scene() -> None:
        net = Network()
        async with serving(well) as port:
            for _ in range(3):
                late = await failure(net.fetch(f"http://hangs.example:{port}/", deadline=0.05))
                assert str(late) == "hangs.example is not resolved within 0.05 s"
            assert asked == [b"hangs.example"]
            assert (await net.fetch(f"http://other.example:{port}/", deadline=5)).status == 200
            let_go.set()
            assert (await net.fetch(f"http://hangs.example:{port}/", deadline=5)).status == 200

    played(scene())


def test_an_address_that_does_not_answer_leaves_time_for_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene() -> None:
        full = socket.create_server(("127.0.0.2", 0), backlog=0)
        with closing(full):
            port = full.getsockname()[1]
            fillers = [await _filler(port) for _ in range(4)]
            places = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"127.0.0.{n}", port)) for n in (2, 1)]
            monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: places)
            async with serving(well, port=port) as port:
                assert (await Network().fetch(f"http://two.example:{port}/", deadline=2)).status == 200
            for filler in fillers:
                filler.close()

    played(scene())


async def _filler(port: int) -> socket.socket:
    """A connection that sits in the backlog, or waits for a place there."""
    made = socket.socket()
    made.setblocking(False)
    made.connect_ex(("127.0.0.2", port))
    return made


# TCP and Unix sockets


async def greeting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Greet as a mail server does, in two pieces, then echo."""
    for piece in (b"220 mail.exam", b"ple ESMTP\r\n"):
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0.01)
    while data := await reader.read(100):
        writer.write(data)
        await writer.drain()


@pytest.mark.parametrize(
    ("send", "expect"),
    [(b"", b""), (b"", b"mail.example ESMTP"), (b"\xff\x00PING", b"\xff\x00PING")],
    ids=["only there", "a banner", "an echo"],
)
def test_a_server_of_any_protocol_is_well_if_it_says_what_is_expected(send: bytes, expect: bytes) -> None:
    async def scene() -> None:
        async with serving(greeting) as port:
            await Network().talk(f"127.0.0.1:{port}", send=send, expect=expect, deadline=5)

    played(scene())


def test_a_server_that_says_something_else_is_quoted() -> None:
    async def scene() -> None:
        async with serving(greeting) as port:
            other = await failure(Network().talk(f"127.0.0.1:{port}", send=b"", expect=b"250 ok", deadline=0.2))
            assert str(other) == (
                'the answer lacks "250 ok" within 0.2 s; it begins with "220 mail.example ESMTP\\r\\n"'
            )

    played(scene())


def test_a_server_that_hangs_up_is_said_to_have_done_so() -> None:
    async def scene() -> None:
        async def hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.close()

        async with serving(hangs_up) as port:
            closed = await failure(Network().talk(f"127.0.0.1:{port}", send=b"", expect=b"hello", deadline=5))
            assert str(closed) == "no answer before the connection was closed"

    played(scene())


def test_a_unix_socket_is_talked_to(tmp_path: Path) -> None:
    async def scene() -> None:
        async with serving(greeting, path=tmp_path / "web.sock"):
            await Network().talk(str(tmp_path / "web.sock"), send=b"", expect=b"220", deadline=5)
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(tmp_path / "dead.sock"))
        for name, words in (("none.sock", "there is no such socket"), ("dead.sock", "connection refused")):
            assert str(await failure(Network().talk(str(tmp_path / name), send=b"", expect=b"", deadline=5))) == words

    played(scene())


def test_a_unix_socket_whose_backlog_is_full_does_not_answer(tmp_path: Path) -> None:
    async def scene() -> None:
        with socket.socket(socket.AF_UNIX) as hung, socket.socket(socket.AF_UNIX) as filler:
            hung.bind(str(tmp_path / "hung.sock"))
            hung.listen(0)
            filler.connect(str(tmp_path / "hung.sock"))
            late = await failure(Network().talk(str(tmp_path / "hung.sock"), send=b"", expect=b"", deadline=0.2))
            assert str(late) == "no answer within 0.2 s"

    played(scene())


# TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost that nobody has signed, in one file with its key."""
    path = tmp_path_factory.mktemp("tls") / "web.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-days", "30", "-subj", "/CN=web", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1"]
    subprocess.run([*command, "-keyout", path, "-out", f"{path}.crt"], check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + path.with_name("web.pem.crt").read_bytes())
    return path


def tls_server(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_a_certificate_that_is_trusted_is_read_and_one_that_is_not_is_refused(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scene() -> None:
        async with serving(well, host="0.0.0.0", ssl=tls_server(certificate)) as port:
            url = f"https://localhost:{port}/"
            refused = await failure(Network().fetch(url, deadline=5))
            assert (str(refused), getattr(refused, "cause", "")) == ("TLS: self-signed certificate", "tls")
            assert (await Network().fetch(url, verify=False, deadline=5)).status == 200

            monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
            shown = (await Network().fetch(url, deadline=5)).certificate
            assert shown is not None
            assert (shown.common_name, shown.names) == ("web", ("localhost", "127.0.0.1", "::1"))
            assert 29 < shown.days_left(time.time()) < 30
            other = await failure(Network().fetch(f"https://127.0.0.2:{port}/", deadline=5))
            assert str(other) == "TLS: IP address mismatch, certificate is not valid for '127.0.0.2'"

    played(scene())


def test_what_speaks_no_tls_is_said_not_to() -> None:
    async def scene() -> None:
        async with serving(greeting) as port:
            other = await failure(Network().fetch(f"https://127.0.0.1:{port}/", deadline=5))
            assert (str(other), getattr(other, "cause", "")) == ("TLS: wrong version number", "tls")

    played(scene())


def test_without_tls_in_the_process_a_new_https_probe_asks_for_a_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ssl", None)

    async def scene() -> None:
        unable = await failure(Network().fetch("https://127.0.0.1/", deadline=5))
        assert isinstance(unable, ReadError)
        assert "needs a restart of healthd" in str(unable)

    played(scene())


# Nothing is left open


def test_no_probe_leaves_a_descriptor_open_however_it_ends(certificate: Path, tmp_path: Path) -> None:
    async def scene() -> None:
        net, tls = Network(), tls_server(certificate)
        hung = str(tmp_path / "hung.sock")
        async with (
            serving(silent, path=tmp_path / "hung.sock"),
            serving(well) as good,
            serving(silent) as bad,
            serving(well, ssl=tls) as good_tls,
            serving(greeting) as talks,
        ):
            asked: list[Callable[[], Awaitable[object]]] = [
                lambda: net.fetch(f"http://127.0.0.1:{good}/", deadline=5),
                lambda: net.fetch(f"http://127.0.0.1:{bad}/", deadline=0.02),
                lambda: net.fetch(f"http://127.0.0.1:{free_port()}/", deadline=5),
                lambda: net.fetch(f"https://127.0.0.1:{good_tls}/", verify=False, deadline=5),
                lambda: net.fetch(f"https://127.0.0.1:{good_tls}/", deadline=5),
                lambda: net.fetch(f"https://127.0.0.1:{bad}/", deadline=0.02),
                lambda: net.fetch(f"https://127.0.0.1:{talks}/", deadline=5),
                lambda: net.talk(f"127.0.0.1:{talks}", send=b"", expect=b"220", deadline=5),
                lambda: net.talk(hung, send=b"", expect=b"220", deadline=0.02),
                lambda: net.talk("/run/no/such.sock", send=b"", expect=b"", deadline=5),
            ]
            await asyncio.gather(*(ask() for ask in asked), return_exceptions=True)
            await asyncio.sleep(0.05)
            before = descriptors()
            for _ in range(10):
                await asyncio.gather(*(ask() for ask in asked), return_exceptions=True)
            cancelled = [asyncio.ensure_future(ask()) for ask in asked]
            await asyncio.sleep(0.005)
            for task in cancelled:
                task.cancel()
            await asyncio.gather(*cancelled, return_exceptions=True)
            # The servers are in this process too: theirs close when they see that ours are closed.
            while descriptors() > before:  # noqa: ASYNC110  nothing tells when a number in /proc changes
                await asyncio.sleep(0.01)

    played(scene())
