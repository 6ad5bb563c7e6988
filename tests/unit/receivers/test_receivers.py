"""What each receiver gets of a letter: what the service documents, the cause in the text, one name an alert."""

from __future__ import annotations

import asyncio
import hmac
import json
from dataclasses import dataclass, field, replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from healthd.config import AlertingSettings
from healthd.config.kinds import Credential
from healthd.errors import DeliveryError
from healthd.letters import Letter, Why
from healthd.model import Severity
from healthd.receivers import alertmanager, slack
from healthd.registry import find_receivers
from tests.unit.builders import a_letter

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping, Sequence
    from pathlib import Path

_T = TypeVar("_T")
NOW = 1_700_000_020.0
SETTINGS = AlertingSettings(
    webhook_url="http://hook/x",
    webhook_secret="s3cret",
    slack_webhook_url="http://slack/T/B/x",
    pagerduty_key="routing",
    pagerduty_url="http://pd/",
    alertmanager_url=("http://one:9093", "http://two:9093/"),
    email_notifications=("ops@example.org", "night@example.org"),
    smtp_url="smtp://mail:25",
    heartbeat_url="http://switch/x",
    apprise_urls=("json://one",),
)
OVER = a_letter(id="00000007-1-2-1700000020", why=Why.RESOLVED, at=NOW, title="over: web.service is down", number=2)
NOTE = a_letter(why=Why.HEALED, at=NOW, title="healed: web.service is down", severity=Severity.LOW, routed=Severity.LOW)
TEST = Letter(
    id="t", key="t", number=1, why=Why.TEST, host="web1", at=NOW, opened_at=NOW, severity=Severity.LOW,
    routed=Severity.LOW, title="a test",
)  # fmt: skip


@dataclass
class FakeWays:
    """Fulfils `registry.Ways`: keeps what is sent. `down` are the beginnings of URLs that nobody answers at."""

    posts: list[tuple[str, Any, Mapping[str, str]]] = field(default_factory=list)
    mails: list[tuple[str, str, Sequence[str], bytes]] = field(default_factory=list)
    notified: list[tuple[str, str, str, str]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    down: tuple[str, ...] = ()

    def wall(self) -> float:
        return NOW

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        if url.startswith(self.down or ("nothing",)):
            raise DeliveryError("connection refused")
        self.bodies.append(body)
        self.posts.append((url, json.loads(body), headers))

    async def get(self, url: str) -> None:
        self.asked.append(url)

    async def apprise(self, url: str, title: str, body: str, kind: str) -> None:
        self.notified.append((url, title, body, kind))

    async def mail(self, server: str, sender: str, to: Sequence[str], message: bytes) -> Mapping[str, DeliveryError]:
        self.mails.append((server, sender, to, message))
        return {to: DeliveryError("refused") for to in self.down}


def sent(name: str, letter: Letter, ways: FakeWays | None = None) -> FakeWays:
    ways = ways or FakeWays()
    spec = find_receivers((name,))[name]
    _run(spec.send(ways, letter, spec.options(SETTINGS, str)))
    return ways


def _run(sending: Awaitable[_T]) -> _T:
    async def life() -> _T:
        return await sending

    return asyncio.run(life())


def test_there_is_a_receiver_for_each_that_the_settings_know() -> None:
    assert sorted(find_receivers()) == sorted((*SETTINGS.receivers, "heartbeat"))


@pytest.mark.parametrize(
    ("name", "key", "to"),
    [
        ("email", "email_notifications", "to"),
        ("alertmanager", "alertmanager_url", "urls"),
        ("apprise", "apprise_urls", "urls"),
    ],
)
def test_a_credential_stands_for_one_or_for_several_that_are_told(name: str, key: str, to: str) -> None:
    files = {"one": "a://1@x", "more": "b://2@x\nc://3@x\n"}
    told = find_receivers((name,))[name].options

    def given(value: Any) -> object:
        return getattr(told(replace(SETTINGS, **{key: value}), reveal), to)

    def reveal(said: str | Credential) -> str:
        return files[said.name] if isinstance(said, Credential) else said

    one, more = Credential(name="one"), Credential(name="more")
    assert given(one) == ("a://1@x",)
    assert given(more) == ("b://2@x", "c://3@x")
    assert given((one, "d://4@x", more)) == ("a://1@x", "d://4@x", "b://2@x", "c://3@x")


def test_a_webhook_gets_the_letter_signed() -> None:
    ways = sent("webhook", a_letter())
    ((url, said, headers),) = ways.posts

    assert url == "http://hook/x"
    assert (said["version"], said["status"], said["key"]) == (1, "firing", a_letter().key)
    assert said["title"] == "web.service is down: killed by SIGKILL"
    stamp = headers["X-Healthd-Timestamp"]
    signed = hmac.new(b"s3cret", stamp.encode() + b"." + ways.bodies[0], "sha256").hexdigest()
    assert headers["X-Healthd-Signature"] == f"sha256={signed}"
    assert headers["Idempotency-Key"] == a_letter().id


def test_a_webhook_without_a_secret_is_not_signed() -> None:
    ways, spec = FakeWays(), find_receivers(("webhook",))["webhook"]
    options = spec.options(replace(SETTINGS, webhook_secret=""), str)
    _run(spec.send(ways, a_letter(), options))

    assert "X-Healthd-Signature" not in ways.posts[0][2]


def test_slack_gets_blocks_with_cause_deed_change_and_evidence() -> None:
    ((url, said, _),) = sent("slack", a_letter()).posts
    (attachment,) = said["attachments"]
    text = json.dumps(attachment["blocks"], ensure_ascii=False)

    assert url == "http://slack/T/B/x"
    assert said["text"].endswith("web1: web.service is down: killed by SIGKILL")
    assert [block["type"] for block in attachment["blocks"]] == ["header", "section", "section", "context"]
    for words in ("start_unit did not help", "/etc/web.conf was edited", "bind &lt;to&gt; port 80 &amp; exit"):
        assert words in text
    assert "healthctl incident 12" in text


@pytest.mark.parametrize(
    ("letter", "sign"),
    [
        (OVER, ":white_check_mark:"),
        (a_letter(gave_up=True), ":sos:"),
        (TEST, ":information_source:"),
        (NOTE, ":information_source:"),
        (a_letter(), ":rotating_light:"),
    ],
)
def test_slack_shows_at_a_glance_how_bad_it_is(letter: Letter, sign: str) -> None:
    assert slack.message(letter)["text"].startswith(sign)


def test_slack_takes_no_more_than_it_documents_of_the_longest_letter() -> None:
    many = tuple(replace(a_letter().issues[0], id=f"services/{number}.service") for number in range(50))
    long = a_letter(title="<" * 500, text="&" * 500, evidence=("`" * 500,) * 8, issues=many)
    (attachment,) = slack.message(long)["attachments"]

    for block in attachment["blocks"]:
        text = block.get("text") or block["elements"][0]
        assert len(text["text"]) <= (150 if block["type"] == "header" else 3000)
    assert "and 39 more" in json.dumps(attachment)


def test_pagerduty_is_triggered_and_resolved_by_one_key() -> None:
    ((url, said, _),) = sent("pagerduty", a_letter(gave_up=True, severity=Severity.CRITICAL)).posts
    ((_, over, _),) = sent("pagerduty", OVER).posts

    assert url == "http://pd/v2/enqueue"
    assert (said["event_action"], over["event_action"]) == ("trigger", "resolve")
    assert said["dedup_key"] == over["dedup_key"] == "healthd-00000007-1"
    assert said["routing_key"] == over["routing_key"] == "routing"
    payload = said["payload"]
    assert payload["summary"] == "web1: web.service is down: killed by SIGKILL"
    assert (payload["severity"], payload["source"], payload["component"]) == ("critical", "web1", "web.service")
    assert payload["timestamp"] == "2023-11-14T22:13:20.000+00:00"
    assert payload["custom_details"]["changed_before"] == "/etc/web.conf was edited 3 min before"


def test_a_test_leaves_nothing_open_at_pagerduty() -> None:
    assert [said["event_action"] for _, said, _ in sent("pagerduty", TEST).posts] == ["trigger", "resolve"]


def test_a_note_is_a_change_to_pagerduty_which_pages_nobody() -> None:
    ((url, said, _),) = sent("pagerduty", NOTE).posts

    assert url == "http://pd/v2/change/enqueue"
    assert set(said) == {"routing_key", "payload"}
    assert said["payload"]["summary"] == "web1: healed: web.service is down"
    assert set(said["payload"]) == {"summary", "source", "timestamp", "custom_details"}
    assert said["payload"]["timestamp"] == "2023-11-14T22:13:40.000+00:00"


def test_a_note_is_quiet_wherever_people_read_it() -> None:
    ((_, webhook, _),) = sent("webhook", NOTE).posts
    ((_, chat, _),) = sent("slack", NOTE).posts
    ((_, _, _, data),) = sent("email", NOTE).mails
    ((_, _, _, kind),) = sent("apprise", NOTE).notified
    mail = message_from_bytes(data, policy=policy.default)

    assert (webhook["why"], webhook["status"], webhook["severity"]) == ("healed", "note", "low")
    assert "info" in chat["attachments"][0]["blocks"][-1]["elements"][0]["text"]
    assert (mail["Subject"], mail["Importance"]) == ("[info] web1: healed: web.service is down", "low")
    assert kind == "info"


def test_alertmanager_has_no_place_for_a_note() -> None:
    assert [name for name, spec in find_receivers().items() if not spec.takes_notes] == ["alertmanager"]


def test_alertmanager_is_told_by_the_same_labels_from_the_first_message_to_the_last() -> None:
    posts = sent("alertmanager", a_letter(severity=Severity.CRITICAL)).posts
    (alert,), (over,) = posts[0][1], alertmanager.alerts(OVER, NOW)

    assert [url for url, _, _ in posts] == ["http://one:9093/api/v2/alerts", "http://two:9093/api/v2/alerts"]
    assert alert["labels"] == over["labels"]
    assert (
        alert["labels"] | {"alertname": "healthd_service_down", "severity": "high", "unit": "web.service"}
        == alert["labels"]
    )
    assert alert["annotations"]["summary"] == "web.service is down: killed by SIGKILL"
    assert (alert["startsAt"], alert["endsAt"]) == ("2023-11-14T22:13:20.000Z", "2023-11-14T22:23:40.000Z")
    assert over["endsAt"] == "2023-11-14T22:13:40.000Z"


def test_that_healthd_gave_up_is_an_alert_of_its_own_at_alertmanager() -> None:
    first, second = alertmanager.alerts(a_letter(gave_up=True), NOW)

    assert (second["labels"]["alertname"], second["labels"]["severity"]) == ("healthd_gave_up", "critical")
    assert first["labels"]["alert"] == second["labels"]["alert"]


def test_one_alertmanager_that_takes_it_is_enough_and_none_is_not() -> None:
    assert len(sent("alertmanager", a_letter(), FakeWays(down=("http://one",))).posts) == 1
    with pytest.raises(DeliveryError):
        sent("alertmanager", a_letter(), FakeWays(down=("http://",)))


def test_which_alertmanager_did_not_take_it_is_said_without_its_password() -> None:
    spec, ways = find_receivers(("alertmanager",))["alertmanager"], FakeWays(down=("http://u:s3cret@two:9093",))
    urls = ("http://one:9093", "http://u:s3cret@two:9093/prefix")
    failed = _run(spec.send(ways, a_letter(), alertmanager.Options(urls=urls)))

    assert failed is not None
    assert {url: str(error) for url, error in failed.items()} == {urls[1]: "address 2 (two:9093): connection refused"}


def test_what_is_no_address_keeps_nobody_else_from_mail(tmp_path: Path) -> None:
    spec, ways = find_receivers(("email",))["email"], FakeWays(down=("full@example.org",))
    (tmp_path / "to").write_text("ops@b\u00fccher.example, \u00fcber@example.org full@example.org", encoding="utf-8")

    def reveal(said: str | Credential) -> str:
        return (tmp_path / said.name).read_text(encoding="utf-8") if isinstance(said, Credential) else said

    options = spec.options(replace(SETTINGS, email_notifications=Credential(name="to")), reveal)
    failed = _run(spec.send(ways, a_letter(), options))

    assert ways.mails[0][2] == ("ops@xn--bcher-kva.example", "full@example.org")
    assert failed is not None
    assert {to: (str(error), error.final) for to, error in failed.items()} == {
        "\u00fcber@example.org": ("it is no e-mail address", True),
        "full@example.org": ("refused", False),
    }


def test_a_test_names_itself_at_alertmanager_and_ends_at_once() -> None:
    (alert,) = alertmanager.alerts(TEST, NOW)

    assert alert["labels"]["alertname"] == "healthd_test"
    assert alert["endsAt"] == "2023-11-14T22:13:41.000Z"


def test_mail_is_one_thread_for_an_alert_in_text_and_html() -> None:
    ((server, sender, to, data),) = sent("email", a_letter(gave_up=True)).mails
    ((_, _, _, last),) = sent("email", OVER).mails
    mail, over = (BytesParser(EmailMessage, policy=policy.default).parsebytes(each) for each in (data, last))

    assert (server, sender) == ("smtp://mail:25", "healthd@web1")
    assert to == ("ops@example.org", "night@example.org")
    assert mail["Subject"] == "[GAVE UP] web1: web.service is down: killed by SIGKILL"
    assert over["Subject"].startswith("[over] web1: ")
    assert mail["References"] == over["References"]
    assert mail["Message-ID"] != over["Message-ID"]
    plain, marked = (part.get_content() for part in mail.iter_parts())
    for words in ("start_unit did not help", "cannot bind <to> port 80", "healthctl incident 12"):
        assert words in plain
    assert "cannot bind &lt;to&gt; port 80 &amp; exit" in marked


def test_a_line_break_in_a_title_makes_no_header() -> None:
    ((_, _, _, data),) = sent("email", a_letter(title="down\r\nBcc: all@example.org", host="ü\n")).mails

    assert message_from_bytes(data, policy=policy.default)["Bcc"] is None


def test_a_dead_mans_switch_is_asked_for() -> None:
    assert sent("heartbeat", a_letter(why=Why.BEAT)).asked == ["http://switch/x"]


def test_that_healthd_itself_failed_has_a_name_of_its_own_at_alertmanager() -> None:
    (alert,) = alertmanager.alerts(replace(TEST, why=Why.OPENED, key="healthd-failed-web1"), NOW)

    assert alert["labels"]["alertname"] == "healthd_failed"


def test_apprise_gets_title_cause_and_kind() -> None:
    ((url, title, body, kind),) = sent("apprise", a_letter()).notified
    ((_, _, _, over),) = sent("apprise", OVER).notified

    assert url == "json://one"
    assert title == "web1: web.service is down: killed by SIGKILL"
    assert "cannot bind <to> port 80" in body
    assert (kind, over) == ("failure", "success")
