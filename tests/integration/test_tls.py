"""HTTPS on the TCP listeners: with and without client certificates, over reloads, and when files are wrong."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import sys
import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from healthd.config import HttpSettings
from healthd.events import Event
from tests.integration.certificates import Pair, authority, signed
from tests.integration.daemon_process import daemon
from tests.integration.tcp_front import Tcp, free_port, receive, send, tcp

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """What a host with TLS has; `stranger` is signed by somebody else."""

    ca: Pair
    server: Pair
    client: Pair
    stranger: Pair


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    directory = tmp_path_factory.mktemp("tls")
    ca, other = authority(directory, "ca"), authority(directory, "other")
    return Files(
        ca=ca,
        server=signed(directory, "server", ca),
        client=signed(directory, "client", ca),
        stranger=signed(directory, "stranger", other),
    )


def settings(files: Files, port: int, **changes: Any) -> HttpSettings:
    http = HttpSettings(
        listen=(f"127.0.0.1:{port}",),
        metrics_listen=(),
        rate_limit_per_minute=0,
        tls_certificate=str(files.server.certificate),
        tls_key=str(files.server.key),
    )
    return replace(http, **changes)


def trusting(files: Files, own: Pair | None = None) -> ssl.SSLContext:
    """What a client brings along."""
    context = ssl.create_default_context(cafile=str(files.ca.certificate))
    if own is not None:
        context.load_cert_chain(own.certificate, own.key)
    return context


def played(directory: Path, http: HttpSettings, scene: Callable[[Tcp], Awaitable[None]], *, wait: bool = True) -> None:
    async def play() -> None:
        port = int(http.listen[0].rpartition(":")[2])
        async with tcp(directory, http, port=port, wait=wait) as stage:
            await scene(stage)

    asyncio.run(play())


def test_with_a_certificate_all_is_https_and_nothing_else(files: Files, tmp_path: Path) -> None:
    async def scene(stage: Tcp) -> None:
        reader, writer = await stage.connect()
        writer.write(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"alive" not in await reader.read()
        stage.ssl = trusting(files)
        assert (await stage.get("/health/live"))[0] == 200
        assert (await stage.get("/health", "reader"))[0] == 200
        assert stage.front.diagnoses()[0].text.endswith("over HTTPS")
        (record,) = [one for one in stage.log.of(Event.API_REQUEST) if one.fields["method"] is None]
        assert "TLS" in record.message

    played(tmp_path, settings(files, free_port()), scene)


def test_a_large_answer_arrives_whole_before_the_connection_ends(files: Files, tmp_path: Path) -> None:
    async def scene(stage: Tcp) -> None:
        stage.control.settings = {"much": "x" * 2_000_000}
        stage.ssl = trusting(files)
        reader, writer = await stage.connect()
        writer.write(
            b"GET /api/v1/config HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer reader\r\nConnection: close\r\n\r\n"
        )
        status, _, body = await receive(reader)
        assert (status, len(body)) == (200, 2_000_012)
        assert await reader.read() == b""  # ended in order, not cut off

    played(tmp_path, settings(files, free_port()), scene)


def test_what_is_older_than_tls_1_2_is_refused(files: Files, tmp_path: Path) -> None:
    async def scene(stage: Tcp) -> None:
        stage.ssl = trusting(files)
        stage.ssl.set_ciphers("DEFAULT@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            stage.ssl.minimum_version = stage.ssl.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await stage.connect()

    played(tmp_path, settings(files, free_port()), scene)


def test_with_an_authority_for_clients_only_those_that_it_signed_come_in(files: Files, tmp_path: Path) -> None:
    async def scene(stage: Tcp) -> None:
        for own in (None, files.stranger):
            stage.ssl = trusting(files, own)
            with pytest.raises((ssl.SSLError, ConnectionError, asyncio.IncompleteReadError)):
                await stage.get("/health/live")
        stage.ssl = trusting(files, files.client)
        assert (await stage.get("/health/live"))[0] == 200
        assert (await stage.get("/health"))[0] == 401  # a certificate is no key

    played(tmp_path, settings(files, free_port(), tls_client_ca=str(files.ca.certificate)), scene)


def test_a_client_that_never_shakes_hands_holds_nobody_up(
    files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("healthd.expose.server.HANDSHAKE_SECONDS", 0.3)

    async def scene(stage: Tcp) -> None:
        silent = [await stage.connect() for _ in range(20)]
        stage.ssl = trusting(files)
        assert (await stage.get("/health/live"))[0] == 200
        for reader, _ in silent:
            assert await reader.read() == b""

    played(tmp_path, settings(files, free_port()), scene)


def test_a_renewed_certificate_is_taken_over_at_a_reload_and_old_connections_stay(files: Files, tmp_path: Path) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    shutil.copy(files.server.certificate, certificate)
    shutil.copy(files.server.key, key)
    http = settings(files, free_port(), tls_certificate=str(certificate), tls_key=str(key))

    async def scene(stage: Tcp) -> None:
        stage.ssl = trusting(files)
        reader, writer = await stage.connect()
        shutil.copy(files.client.certificate, certificate)
        shutil.copy(files.client.key, key)
        stage.front.configure(http)
        _, renewed = await stage.connect()
        peer = renewed.get_extra_info("peercert")
        assert peer["subject"] == ((("commonName", "client"),),)
        await send(writer, "/health/live")
        assert (await receive(reader))[0] == 200

    played(tmp_path, http, scene)


def test_a_certificate_that_became_unreadable_leaves_the_old_one_in_use(files: Files, tmp_path: Path) -> None:
    http = settings(files, free_port())

    async def scene(stage: Tcp) -> None:
        stage.front.configure(replace(http, tls_certificate=str(tmp_path / "gone.pem")))
        (record,) = stage.log.of(Event.CONFIG_RELOADED)
        assert "gone.pem cannot be read: No such file or directory; what was in use before stays" in record.message
        assert stage.diagnosis("tls").ok is False
        stage.ssl = trusting(files)
        assert (await stage.get("/health/live"))[0] == 200
        stage.front.configure(http)
        assert [one for one in stage.front.diagnoses() if one.name == "tls"] == []

    played(tmp_path, http, scene)


@pytest.mark.parametrize(
    ("certificate", "key", "words"),
    [
        ("nowhere.pem", "", "nowhere.pem cannot be read: No such file or directory"),
        ("", "other.key", "tls_key is not the key of tls_certificate"),
        ("garbage.pem", "", "are not all what they should be, in PEM"),
    ],
)
def test_at_the_start_wrong_files_keep_the_addresses_closed_until_they_are_right(
    certificate: str, key: str, words: str, files: Files, tmp_path: Path
) -> None:
    (tmp_path / "garbage.pem").write_text("garbage")
    shutil.copy(files.stranger.key, tmp_path / "other.key")
    http = settings(files, free_port())
    wrong = replace(
        http,
        tls_certificate=str(tmp_path / certificate) if certificate else http.tls_certificate,
        tls_key=str(tmp_path / key) if key else http.tls_key,
    )

    async def scene(stage: Tcp) -> None:
        record = await stage.heard(Event.LISTENER_CHANGED, reason="tls")
        assert words in record.message
        with pytest.raises(ConnectionError):
            await stage.connect()
        for right, put in ((http.tls_certificate, wrong.tls_certificate), (http.tls_key, wrong.tls_key)):
            if right != put:
                shutil.copy(right, put)
        await stage.heard(Event.LISTENER_CHANGED, reason="served")
        stage.ssl = trusting(files)
        assert (await stage.get("/health/live"))[0] == 200

    played(tmp_path, wrong, scene, wait=False)


def test_a_key_with_a_password_is_refused_and_nobody_is_asked_for_it(files: Files, tmp_path: Path) -> None:
    key = tmp_path / "locked.key"
    key.write_text(
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhGXn8Qx0zGkQICCAAw\n"
        "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEA==\n-----END ENCRYPTED PRIVATE KEY-----\n"
    )

    async def scene(stage: Tcp) -> None:
        await stage.heard(Event.LISTENER_CHANGED, reason="tls")

    played(tmp_path, settings(files, free_port(), tls_key=str(key)), scene, wait=False)


def test_a_reload_that_first_needs_tls_says_that_a_restart_does_and_leaves_things_as_they_are(
    files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ssl", None)
    http = settings(files, free_port())

    async def scene(stage: Tcp) -> None:
        stage.front.configure(http)
        (record,) = stage.log.of(Event.CONFIG_RELOADED)
        assert "TLS is not in use: it comes with the next start" in record.message
        assert stage.diagnosis("tls").remedy == "systemctl restart healthd"
        assert (await stage.get("/health/live"))[0] == 200

    played(tmp_path, replace(http, tls_certificate="", tls_key=""), scene)


def test_the_daemon_itself_speaks_tls_where_its_configuration_says_so(files: Files, tmp_path: Path) -> None:
    port = free_port()
    config = (
        f'[http]\nlisten = ["127.0.0.1:{port}"]\nmetrics_listen = []\n'
        f'tls_certificate = "{files.server.certificate}"\ntls_key = "{files.server.key}"\n'
    )

    async def scene() -> bytes:
        async with daemon(tmp_path, config, "--foreground-log", tcp=True) as running:
            await running.manager.until_told("READY")
            reader, writer = await connected(port, trusting(files))
            await send(writer, "/health/live")
            _, _, body = await receive(reader)
            writer.close()
            return body

    assert b'"alive"' in asyncio.run(scene())


async def connected(port: int, context: ssl.SSLContext) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection, as soon as there can be one: addresses are served right after READY."""
    while True:
        try:
            return await asyncio.open_connection("127.0.0.1", port, ssl=context)
        except ConnectionRefusedError:
            await asyncio.sleep(0.05)
