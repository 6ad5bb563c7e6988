"""Probes by TLS and certificates over real sockets and files; and that no probe leaves anything open."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from healthd.errors import ReadError
from healthd.net import Network
from tests.integration.servers import (
    ask_for,
    descriptors,
    failure,
    free_port,
    greeting,
    name_server,
    played,
    self_signed,
    serving,
    silent,
    tls_server,
    well,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost that nobody has signed, in one file with its key."""
    return self_signed(tmp_path_factory.mktemp("tls") / "web.pem")


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


def test_a_server_shows_its_certificate_whoever_signed_it(certificate: Path) -> None:
    async def scene() -> None:
        async with serving(silent, ssl=tls_server(certificate)) as port, serving(greeting) as plain:
            shown = await Network().shown_certificate(f"127.0.0.1:{port}", deadline=5)
            assert shown.common_name == "web"
            assert shown.fits("localhost")
            other = await failure(Network().shown_certificate(f"127.0.0.1:{plain}", deadline=5))
            assert str(other) == "TLS: wrong version number"

    played(scene())


def test_certificates_are_read_from_a_file_and_again_when_it_is_another(certificate: Path, tmp_path: Path) -> None:
    pem = certificate.read_bytes()

    async def scene() -> None:
        net, path = Network(), tmp_path / "web.pem"
        path.write_bytes(pem)
        first = await net.kept_certificates(str(path), deadline=5)
        assert [each.common_name for each in first[str(path)]] == ["web"]
        assert (await net.kept_certificates(str(path), deadline=5))[str(path)] is first[str(path)]
        path.write_bytes(pem + pem)
        assert len((await net.kept_certificates(str(path), deadline=5))[str(path)]) == 2

    played(scene())


def test_of_a_directory_the_files_with_certificates_are_read(certificate: Path, tmp_path: Path) -> None:
    for name in ("a.pem", "b.crt", "c.txt"):
        (tmp_path / name).write_bytes(certificate.read_bytes())
    (tmp_path / "key.pem").write_text("a key", encoding="ascii")

    async def scene() -> None:
        found = await Network().kept_certificates(str(tmp_path), deadline=5)
        assert sorted(found) == [str(tmp_path / "a.pem"), str(tmp_path / "b.crt")]

    played(scene())


def test_what_cannot_be_read_is_no_reading(tmp_path: Path) -> None:
    async def scene() -> None:
        net = Network()
        (tmp_path / "text.pem").write_text("hello", encoding="ascii")
        for name, words in (
            ("none.pem", "cannot be read: no such file or directory"),
            ("text.pem", "there is no certificate in it"),
            ("", "there is no certificate in it"),
        ):
            unread = await failure(net.kept_certificates(str(tmp_path / name), deadline=5))
            assert isinstance(unread, ReadError)
            assert words in str(unread)
        unread = await failure(net.kept_certificates("/dev/null", deadline=5))
        assert str(unread) == "/dev/null: it is no file"

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
            name_server(lambda _: None) as mute,
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
                lambda: net.shown_certificate(f"127.0.0.1:{good_tls}", deadline=5),
                lambda: net.kept_certificates(str(certificate), deadline=5),
                lambda: ask_for(net, f"127.0.0.1:{free_port()}"),
                lambda: ask_for(net, f"127.0.0.1:{mute.port}", deadline=0.02),
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
