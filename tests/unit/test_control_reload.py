from __future__ import annotations

import asyncio

import pytest

from healthd.answers import Diagnosis
from healthd.errors import ConfigError, RequestError
from healthd.model import JobResult, Problem
from tests.fake_units import service
from tests.unit.assembly import assembled, controller, settings

WEB = service("web.service")


def test_reload_is_systemds_and_its_refusal_carries_what_was_wrong() -> None:
    async def scene() -> RequestError:
        async with assembled(WEB, service("healthd.service")) as healthd:

            async def refused(name: str, *, deadline: float) -> JobResult:
                assert (name, deadline > 0) == ("healthd.service", True)
                return JobResult(result="failed")

            healthd.units.reload = refused  # type: ignore[method-assign]
            control = controller(healthd)
            control._doctor.rejected = "/etc/healthd/healthd.toml:3: health.check: unknown key"
            with pytest.raises(RequestError) as caught:
                await control.reload(by="me")
            return caught.value

    error = asyncio.run(scene())

    assert error.status == 422
    assert "healthd.toml:3" in str(error)


def test_without_systemd_a_reload_is_applied_directly() -> None:
    async def scene() -> list[tuple[str, str]]:
        async with assembled(WEB) as healthd:
            await controller(healthd, under_systemd=False).reload(by="me")
            return healthd.units.calls

    assert asyncio.run(scene()) == [("apply", "")]


def test_a_reload_for_which_systemd_cannot_be_asked_is_a_503() -> None:
    async def scene() -> int:
        async with assembled(WEB) as healthd:
            healthd.units.connected = False
            with pytest.raises(RequestError) as caught:
                await controller(healthd).reload(by="me")
            return caught.value.status

    assert asyncio.run(scene()) == 503


def test_a_reload_that_systemd_refuses_does_not_show_what_was_wrong_with_an_earlier_one() -> None:
    async def scene() -> str:
        async with assembled(WEB) as healthd:
            healthd.units.refuses.add("healthd.service")
            control = controller(healthd)
            control._doctor.rejected = "an old mistake"
            with pytest.raises(RequestError) as caught:
                await control.reload(by="me")
            return str(caught.value)

    assert asyncio.run(scene()) == "the reload ended with 'refused' polkit said no"


def test_a_reload_that_systemd_carries_out_is_done() -> None:
    async def scene() -> list[tuple[str, str]]:
        async with assembled(WEB) as healthd:
            await controller(healthd).reload(by="me")
            return healthd.units.calls

    assert asyncio.run(scene()) == [("reload", "healthd.service")]


def test_the_configuration_is_applied_for_exec_reload_and_its_refusal_passed_on() -> None:
    async def scene() -> None:
        problem = Problem(file="healthd.toml", line=1, key="health", found="nonsense", allowed="")

        async def refuse() -> None:
            raise ConfigError([problem])

        async with assembled(WEB) as healthd:
            await controller(healthd).apply_configuration()
            assert healthd.units.calls == [("apply", "")]
            control = controller(healthd)
            control._apply = refuse
            with pytest.raises(ConfigError):
                await control.apply_configuration()

    asyncio.run(scene())


def test_the_configuration_in_force_is_shown_as_tables() -> None:
    async def scene() -> object:
        async with assembled(WEB, configuration=settings(dry_run=True)) as healthd:
            return controller(healthd).config()["auto_healing"]["dry_run"]

    assert asyncio.run(scene()) is True


def test_a_reload_returns_what_should_be_looked_at() -> None:
    async def scene() -> tuple[str, ...]:
        async with assembled(WEB, service("healthd.service")) as healthd:
            control = controller(healthd)
            tls = Diagnosis(name="tls", ok=False, text="TLS is not in use", remedy="systemctl restart healthd")
            taken = Diagnosis(name="tcp 127.0.0.1:8080", ok=False, text="another program has this port")
            control._doctor.tcp = lambda: (taken, tls)
            return await control.reload(by="me")

    assert asyncio.run(scene()) == ("TLS is not in use (systemctl restart healthd)",)
