"""What has to be loaded before anything runs."""

from __future__ import annotations

import pytest

from healthd.config import load_texts, needs_tls

PROBES = {
    "an https probe": '[component.web]\ntype = "http"\nurl = "HTTPS://127.0.0.1/"\n',
    "a scrape over https": (
        '[component.web]\ntype = "metrics"\nurl = "https://127.0.0.1/"\nvalues = { up = { metric = "up" } }\n'
    ),
    "a certificate to be shown": '[component.web]\ntype = "certificate"\naddress = "example.org:443"\n',
    "a listener": '[http]\ntls_certificate = "/etc/ssl/web.pem"\ntls_key = "/etc/ssl/web.key"\n',
}

WITHOUT = {
    "nothing": "",
    "a probe without it": '[component.web]\ntype = "http"\nurl = "http://127.0.0.1/?next=https://example.org"\n',
    "a certificate in a file": '[component.web]\ntype = "certificate"\npath = "/etc/ssl/web.pem"\n',
}


@pytest.mark.parametrize("text", PROBES.values(), ids=list(PROBES))
def test_tls_is_needed_by_whatever_speaks_it(text: str) -> None:
    assert needs_tls(load_texts({"healthd.toml": text}))


@pytest.mark.parametrize("text", WITHOUT.values(), ids=list(WITHOUT))
def test_tls_is_needed_by_nothing_else(text: str) -> None:
    assert not needs_tls(load_texts({"healthd.toml": text}))
