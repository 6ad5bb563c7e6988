"""Certificates for tests, made by openssl: an authority, and what it signed."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A certificate and its key, as files."""

    certificate: Path
    key: Path


def authority(directory: Path, name: str) -> Pair:
    """One who signs."""
    pair = _pair(directory, name)
    _openssl("req", "-x509", *_new_key(pair), "-subj", f"/CN={name}", "-days", "2", "-out", str(pair.certificate))
    return pair


def signed(directory: Path, name: str, by: Pair) -> Pair:
    """A certificate for 127.0.0.1 and localhost, of a server or a client."""
    pair = _pair(directory, name)
    alternatives = "subjectAltName=DNS:localhost,IP:127.0.0.1"
    own = ("-subj", f"/CN={name}", "-days", "2", "-addext", alternatives, "-out", str(pair.certificate))
    _openssl("req", "-x509", *_new_key(pair), "-CA", str(by.certificate), "-CAkey", str(by.key), *own)
    return pair


def _pair(directory: Path, name: str) -> Pair:
    return Pair(certificate=directory / f"{name}.pem", key=directory / f"{name}.key")


def _new_key(pair: Pair) -> tuple[str, ...]:
    return ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", str(pair.key))


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=30)
