"""TLS of the TCP listeners. `ssl` is in this process only if the configuration had TLS when it began (`__main__`)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from healthd.config import HttpSettings

if TYPE_CHECKING:
    import ssl

    Context = ssl.SSLContext

_RESTART: Final = "systemctl restart healthd"
_READABLE: Final = "user healthd must be able to read it: chgrp healthd {file} && chmod g+r {file}, and the way to it"


class Tls:
    """What connections are encrypted with. `context` None: they are not.

    `problem` says why no address can be served, `warning` what is not as the configuration wants it though they are
    served as before; `remedy` what to do about either.
    """

    def __init__(self) -> None:
        self.context: Context | None = None
        self.problem = self.warning = self.remedy = ""
        self._http = HttpSettings()
        self._began = False

    @property
    def scheme(self) -> str:
        """What is spoken now."""
        return "HTTP" if self.context is None else "HTTPS"

    def configure(self, http: HttpSettings) -> None:
        """Take over what the configuration says: a renewed certificate too, though its name is the old one."""
        self._http = http
        self.load()

    def load(self) -> None:
        """Read the files, again."""
        # What is in use stays in use. But what was to be encrypted and never was is not served in the clear either.
        keep, self._began = self._began and not self.problem, True
        self.problem = self.warning = self.remedy = ""
        if not self._http.tls_certificate:
            self.context = None
        elif sys.modules.get("ssl") is None:
            self.warning = (
                "TLS is not in use: it comes with the next start of healthd; until then things stay as they were"
            )
            self.remedy = _RESTART
        else:
            self._read(keep=keep)

    def _read(self, *, keep: bool) -> None:
        """Make a new context. Where that fails, go on with the one there is, or (not `keep`) with none at all."""
        http = self._http
        try:
            self.context = _context(http)
        except OSError as error:
            file = _unreadable(http)
            text = f"{file[0]} cannot be read: {file[1]}" if file else f"{_described(error)}"
            self.remedy = (
                _READABLE.format(file=file[0]) if file else "openssl x509 and openssl pkey show what they hold"
            )
            if keep:
                self.warning = f"the TLS files are not taken over: {text}; what was in use before stays"
            else:
                self.problem = f"the addresses of [http] are not served: {text}"


def _context(http: HttpSettings) -> Context:
    import ssl  # noqa: PLC0415  4 MiB: only where the configuration asks for it

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    # Without a password given OpenSSL would ask for one on the terminal.
    context.load_cert_chain(http.tls_certificate, http.tls_key, password=lambda: "")
    if http.tls_client_ca:
        context.load_verify_locations(http.tls_client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _unreadable(http: HttpSettings) -> tuple[str, str] | None:
    """The first of the files that cannot be read, and why: OpenSSL itself does not tell which it was."""
    for name in filter(None, (http.tls_certificate, http.tls_key, http.tls_client_ca)):
        try:
            with Path(name).open("rb"):
                pass
        except OSError as error:
            return name, error.strerror or str(error)
    return None


def _described(error: OSError) -> str:
    if getattr(error, "reason", None) == "KEY_VALUES_MISMATCH":
        return "tls_key is not the key of tls_certificate"
    return f"tls_certificate, tls_key and tls_client_ca are not all what they should be, in PEM: {error}"
