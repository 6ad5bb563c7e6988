"""The delivery process against real servers: nothing lost, nothing twice, nobody waits for another."""

from __future__ import annotations

import asyncio
import functools
import json
import random
import signal
import time
from typing import TYPE_CHECKING

from healthd.letters import Why
from tests.integration.delivery import Mailbox, Receiver, delivery, mailing, numbered, one, receiving

if TYPE_CHECKING:
    from pathlib import Path


def test_what_lies_there_and_what_comes_is_delivered_and_then_it_ends(tmp_path: Path) -> None:
    async def life() -> None:
        async with receiving(Receiver()) as web, delivery(tmp_path, f'webhook_url = "{web.url}"') as desk:
            await desk.put(numbered(1))
            process = await desk.start(idle=1.0)
            await web.until(lambda: len(web.taken) == 1)
            await desk.put(numbered(2))
            await web.until(lambda: len(web.taken) == 2)
            assert await asyncio.wait_for(process.wait(), 20) == 0
            assert desk.left() == []
            assert "alert_sent" in desk.log()

    asyncio.run(life())


def test_each_letter_arrives_though_it_is_killed_again_and_again_and_at_most_one_is_doubled_by_a_kill(
    tmp_path: Path,
) -> None:
    chance = random.Random(7)

    async def life() -> tuple[Receiver, int]:
        async with one(tmp_path, Receiver(answer=lambda _count: (200, "", 0.005))) as (web, desk):
            kills, put = 0, 0
            while put < 200:
                batch = [numbered(number) for number in range(put, put + 25)]
                put += 25
                await desk.put(*batch)
                process = await desk.start()
                await web.until(functools.partial(_more, web, len(web.taken)))
                await asyncio.sleep(chance.uniform(0.0, 0.15))
                process.send_signal(signal.SIGKILL)
                await process.wait()
                kills += 1
            await desk.start(idle=1.0)
            await web.until(lambda: len(web.taken) == 200)
            await desk.empty()
            return web, kills

    web, kills = asyncio.run(life())

    assert set(web.taken) == {numbered(number).id for number in range(200)}
    assert web.asked - 200 <= kills


def test_a_receiver_that_is_slow_or_fails_holds_up_no_other(tmp_path: Path) -> None:
    async def life() -> None:
        bad, slow = Receiver(answer=lambda _count: (500, "", 0.0)), Receiver(answer=lambda _count: (200, "", 5.0))
        async with receiving(Receiver()) as web, receiving(bad), receiving(slow):
            said = f'webhook_url = "{web.url}"\nslack_webhook_url = "{bad.url}"\nalertmanager_url = "{slow.url}"'
            async with delivery(tmp_path, said) as desk:
                began = time.monotonic()
                await desk.put(*(numbered(number) for number in range(20)))
                await desk.start()
                await web.until(lambda: len(web.taken) == 20)
                assert time.monotonic() - began < 5.0
                assert len(desk.left()) == 20
                bad.answer = lambda _count: (200, "", 0.0)
                await bad.until(lambda: len(bad.bodies) >= 2)
                assert all(count == 1 for count in web.taken.values())

    asyncio.run(life())


def test_a_receiver_that_asks_for_peace_gets_it(tmp_path: Path) -> None:
    async def life() -> list[float]:
        answers = {1: (429, "Retry-After: 3\r\n", 0.0)}
        async with one(tmp_path, Receiver(answer=lambda count: answers.get(count, (200, "", 0.0)))) as (web, desk):
            await desk.put(numbered(1))
            await desk.start()
            await web.until(lambda: len(web.taken) == 1)
            return web.at

    first, second = asyncio.run(life())

    assert second - first >= 3.0


def test_a_letter_that_is_refused_for_good_stands_before_no_other_and_is_said(tmp_path: Path) -> None:
    async def life() -> None:
        async with one(tmp_path, Receiver(answer=lambda count: (400 if count == 1 else 200, "", 0.0))) as (web, desk):
            await desk.put(numbered(1), numbered(2))
            await desk.start()
            await web.until(lambda: len(web.taken) == 1)
            await desk.empty()
            assert web.asked == 2
            assert "alert_failed" in desk.log()
            assert "it answered 400" in desk.log()

    asyncio.run(life())


def test_letters_of_one_alert_keep_their_order_and_one_that_is_put_twice_is_sent_once(tmp_path: Path) -> None:
    async def life() -> None:
        async with one(tmp_path, Receiver(answer=lambda count: (503 if count == 1 else 200, "", 0.0))) as (web, desk):
            first = numbered(1)
            last = numbered(2, why=Why.RESOLVED, key=first.key, number=2)
            await desk.put(first, last)
            await desk.start()
            await web.until(lambda: len(web.taken) == 2)
            await desk.empty()
            assert list(web.taken) == [first.id, last.id]
            await desk.put(first)
            await desk.empty()
            assert web.taken[first.id] == 1

    asyncio.run(life())


def test_a_note_goes_to_those_who_have_a_place_for_it(tmp_path: Path) -> None:
    async def life() -> None:
        async with receiving(Receiver()) as web, receiving(Receiver()) as manager:
            said = f'webhook_url = "{web.url}"\nalertmanager_url = "{manager.url}"'
            async with delivery(tmp_path, said) as desk:
                await desk.put(numbered(1, why=Why.HEALED))
                await desk.start(idle=1.0)
                await desk.empty()
                assert (web.asked, manager.asked) == (1, 0)

    asyncio.run(life())


def test_what_is_no_letter_is_put_aside_and_said(tmp_path: Path) -> None:
    async def life() -> None:
        async with receiving(Receiver()) as web, delivery(tmp_path, f'webhook_url = "{web.url}"') as desk:
            (tmp_path / "outbox/x.json").write_bytes(b"{}")
            await desk.put(numbered(1))
            await desk.start()
            await web.until(lambda: len(web.taken) == 1)
            await desk.empty()
            assert (tmp_path / "delivered/x.json.broken").exists()

    asyncio.run(life())


def test_mail_that_is_refused_to_one_for_now_goes_to_that_one_later_and_to_nobody_twice(tmp_path: Path) -> None:
    def answer(to: str, count: int) -> str:
        if to == "grey@example.org":
            return "450 4.7.1 come again" if count == 1 else "250 ok"
        return "550 5.1.1 no such user" if to == "gone@example.org" else "250 ok"

    async def life() -> tuple[Mailbox, str]:
        async with mailing(Mailbox(answer=answer)) as box:
            said = (
                'email_notifications = ["ann@example.org", "grey@example.org", "gone@example.org"]\n'
                f'smtp_url = "smtp://127.0.0.1:{box.port}"'
            )
            async with delivery(tmp_path, said) as desk:
                await desk.put(numbered(1))
                await desk.start()
                await desk.empty()
                return box, desk.log()

    box, log = asyncio.run(life())

    assert box.mails == [("ann@example.org",), ("grey@example.org",)]
    assert "email could not be told: grey@example.org: the mail server says 450 4.7.1 come again; again in" in log
    assert "email will not hear of it: gone@example.org: the mail server says 550 5.1.1 no such user" in log
    (note,) = (path for path in (tmp_path / "delivered").glob("*.email"))
    assert not json.loads(note.read_text())["ok"]


def test_the_end_of_an_alert_is_told_to_those_who_heard_of_it_though_receivers_change(tmp_path: Path) -> None:
    async def life() -> None:
        async with receiving(Receiver()) as stays, receiving(Receiver()) as goes, receiving(Receiver()) as comes:
            there = f'webhook_url = "{stays.url}"\n'
            async with delivery(tmp_path, f'{there}slack_webhook_url = "{goes.url}"') as desk:
                first = numbered(1)
                await desk.put(first)
                process = await desk.start()
                await desk.empty()
                process.terminate()
                await process.wait()
                desk.configure(f'{there}alertmanager_url = "{comes.url}"')
                await desk.start()
                await desk.put(numbered(2, why=Why.RESOLVED, key=first.key, number=2))
                await stays.until(lambda: stays.asked == 2)
                await desk.empty()
                assert (goes.asked, comes.asked) == (1, 0)
                desk.configure(f'{there}slack_webhook_url = "{goes.url}"')
                await goes.until(lambda: goes.asked == 2)
                await desk.empty()
                assert b":white_check_mark:" in goes.bodies[1]
                assert stays.asked == 2

    asyncio.run(life())


def test_a_receiver_that_takes_the_place_of_another_for_a_while_hears_nothing_of_an_end(tmp_path: Path) -> None:
    async def life() -> None:
        async with receiving(Receiver()) as goes, receiving(Receiver()) as comes:
            mine, other = f'slack_webhook_url = "{goes.url}"', f'webhook_url = "{comes.url}"'
            async with delivery(tmp_path, mine) as desk:
                first = numbered(1)
                await desk.put(first)
                await desk.start()
                await desk.empty()
                desk.configure(other)
                await desk.put(numbered(2))
                await comes.until(lambda: comes.asked == 1)
                await desk.put(numbered(3, why=Why.RESOLVED, key=first.key, number=2))
                await desk.empty()
                desk.configure(mine)
                await goes.until(lambda: goes.asked == 2)
                await desk.empty()
                assert b":white_check_mark:" in goes.bodies[1]
                assert comes.asked == 1

    asyncio.run(life())


def test_a_pause_that_one_server_asked_for_does_not_hold_at_another(tmp_path: Path) -> None:
    async def life() -> None:
        busy = Receiver(answer=lambda _count: (429, "Retry-After: 3000\r\n", 0.0))
        async with receiving(Receiver()) as well, one(tmp_path, busy) as (_, desk):
            await desk.put(numbered(1))
            await desk.start()
            await desk.says("could not be told")
            desk.configure(f'webhook_url = "{well.url}"')
            await well.until(lambda: well.asked == 1)
            await desk.empty()

    asyncio.run(life())


def test_the_configuration_is_followed_and_no_secret_is_said(tmp_path: Path) -> None:
    async def life() -> None:
        credentials = tmp_path / "credentials"
        credentials.mkdir()
        (credentials / "healthd_hook").write_text("http://127.0.0.1:9/s3cr3t-path\n", encoding="utf-8")
        async with receiving(Receiver()) as web, delivery(tmp_path, 'webhook_url = { credential = "hook" }') as desk:
            await desk.put(numbered(1))
            process = await desk.start(CREDENTIALS_DIRECTORY=str(credentials))
            await desk.says("could not be told")
            desk.configure("min_severity = 7")
            await asyncio.sleep(1.5)
            assert process.returncode is None
            desk.configure(f'webhook_url = "{web.url}"')
            await web.until(lambda: len(web.taken) == 1)
            assert "s3cr3t" not in desk.log()
            process.terminate()
            assert await asyncio.wait_for(process.wait(), 20) == 0

    asyncio.run(life())


def _more(web: Receiver, than: int) -> bool:
    return len(web.taken) > than
