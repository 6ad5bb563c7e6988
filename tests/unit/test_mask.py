"""Secrets that programs write are not kept."""

from __future__ import annotations

import pytest

from healthd.mask import MASK, masked, masked_lines

SECRETS = {
    "password=hunter2": f"password={MASK}",
    "PASSWORD: hunter2, user: bob": f"PASSWORD: {MASK}, user: bob",
    "DB_PASS=hunter2 DB_USER=bob": f"DB_PASS={MASK} DB_USER=bob",
    "PGPASSWORD='hun ter2' psql": f"PGPASSWORD={MASK} psql",
    'config {"password": "hunter2", "port": 5432}': f'config {{"password": {MASK}, "port": 5432}}',
    "{'api_key': 'hunter2'}": f"{{'api_key': {MASK}}}",
    "token => hunter2": f"token => {MASK}",
    "mysql --password hunter2 --host db": f"mysql --password {MASK} --host db",
    "curl --api-key=hunter2": f"curl --api-key={MASK}",
    "Authorization: Bearer hunter2.hunter2": f"Authorization: {MASK}",
    "authorization: Basic aHVudGVyMg==": f"authorization: {MASK}",
    "got header 'Bearer hunter2hunter2'": f"got header 'Bearer {MASK}'",
    "postgres://bob:hunter2@db/x": f"postgres://{MASK}@db/x",
    "amqp://hunter2@mq": f"amqp://{MASK}@mq",
    "smtp://bob:pass#hunter2@mx:25": f"smtp://{MASK}@mx:25",
    "smtp://bob:12/hunter2@mx": f"smtp://{MASK}@mx",
    "found https://bob:p/hunter2?@web/x": f"found https://{MASK}@web/x",
    "sh: curl -u admin:hunter2 http://x": f"sh: curl -u admin:{MASK} http://x",
    "wget --user=admin:hunter2 x": f"wget --user=admin:{MASK} x",
    "mysql -h db -u bob -phunter2 shop": f"mysql -h db -u bob -p{MASK} shop",
    "['mysqldump', '-phunter2', 'shop']": f"['mysqldump', '-p{MASK}', 'shop']",
    "sshpass -p hunter2 ssh web": f"sshpass -p {MASK} ssh web",
    "redis-cli -h db -a hunter2 ping": f"redis-cli -h db -a {MASK} ping",
    "login as bob with passwd 'hunter2' failed": f"login as bob with passwd {MASK} failed",
    "AUTH hunter2": f"AUTH {MASK}",
    "GET /x?user=bob&access_token=hunter2&y=1": f"GET /x?user=bob&access_token={MASK}&y=1",
    "https://s3/x?X-Amz-Signature=hunter2": f"https://s3/x?X-Amz-Signature={MASK}",
    "Set-Cookie: sid=hunter2": f"Set-Cookie: {MASK}",
    "post to https://hooks.slack.com/services/T0/B0/hunter2 failed": f"post to https://hooks.slack.com/{MASK} failed",
    "using ghp_hunter2hunter2hunter2hunter2 here": f"using {MASK} here",
    "key AKIAHUNTER2HUNTER2HU": f"key {MASK}",
    "jwt eyJhbGciOiJIUzI1NiJ9.eyJodW50ZXIyIjoxfQ.c2lnbmF0dXJl": f"jwt {MASK}",
    "-----BEGIN PRIVATE KEY-----hunter2-----END PRIVATE KEY-----": (
        f"-----BEGIN PRIVATE KEY-----{MASK}-----END PRIVATE KEY-----"
    ),
}
HARMLESS = (
    "web.service: Main process exited, code=exited, status=1/FAILURE",
    "listening on http://127.0.0.1:8080/index.html?page=2",
    "GET http://127.0.0.1:8080/users/bob@example.org",
    "listening on http://0.0.0.0:8080, write to bob@example.org",
    "AUTHOR bob",
    "SyntaxError: unexpected token '}' in JSON",
    "docker run -u 1000:1000 --user 33:33 web",
    "password authentication failed for user 'bob'",
    "journalctl -u nginx.service -p err",
    "mysqld: ready for connections, port: 3306",
    "user bob passed the test: compass=north bypass=1",
    "FileNotFoundError: /etc/web/keys.conf:12: no such key",
    "monkey=1 keyboard: us",
    "mail from bob@example.org to alice@example.org",
    "healthd_values 12",
)


@pytest.mark.parametrize(("line", "kept"), SECRETS.items())
def test_a_secret_is_masked_and_the_rest_of_the_line_stays(line: str, kept: str) -> None:
    assert masked(line) == kept


@pytest.mark.parametrize("line", HARMLESS)
def test_what_is_no_secret_stays(line: str) -> None:
    assert masked(line) == line


def test_masking_twice_changes_nothing_more() -> None:
    for line in SECRETS:
        assert masked(masked(line)) == masked(line)


def test_a_private_key_over_many_lines_is_masked_to_its_end() -> None:
    lines = [
        "loading",
        "-----BEGIN RSA PRIVATE KEY-----",
        "hunter2",
        "hunter2",
        "-----END RSA PRIVATE KEY-----",
        "ready",
    ]

    kept = masked_lines(lines)

    assert "hunter2" not in "".join(kept)
    assert (kept[0], kept[-1], len(kept)) == ("loading", "ready", 6)
