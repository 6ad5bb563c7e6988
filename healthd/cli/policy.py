"""/usr/lib/healthd/write-policy: what root writes from the configuration, at each start and reload.

The polkit rule, and the drop-ins of the units that run the programs of `exec` components.

It always ends with 0 and leaves it to the daemon to report a wrong configuration: were it to fail, systemd would
restart the service for ever in spite of RestartPreventExitStatus=.
"""

from __future__ import annotations

import sys

from healthd.cli.as_daemon import as_daemon
from healthd.cli.seal import PUBLIC, drop_ins, is_current, parts, read_rule, sealed, sources, unsealed

TYPE_CHECKING = False  # without typing, as healthd.cli.seal
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from healthd.config import Settings

CONFIG_FILE = "/etc/healthd/healthd.toml"
RULE_FILE = "/etc/polkit-1/rules.d/60-healthd-units.rules"
UNITS = "/etc/systemd/system"
_AT_START = "--at-start"
_AT_RELOAD = "--at-reload"


def main(argv: Sequence[str] | None = None) -> int:
    """Write the rule; say on stderr, in one line, what changed or why nothing could. Returns 0."""
    config, output, units, at_reload = _options(sys.argv[1:] if argv is None else argv)
    with as_daemon(config):
        made_from = sources(config or CONFIG_FILE)
    try:
        there = drop_ins(units)
    except OSError:
        made_from, there = (), {}
    if made_from and is_current(output, (*made_from, *parts(there))):
        return 0
    for said in write_policy(config, output, units, made_from, keep_on_error=at_reload):
        sys.stderr.write(f"{said}\n")
    return 0


def write_policy(
    config: str | None, output: str, units: str, made_from: Sequence[bytes], *, keep_on_error: bool
) -> Iterator[str]:
    """Write the rule for a configuration to `output`, and drop-ins below `units` ("": none). What there is to say.

    `made_from` are the `sources` as they were before; without any the rule gets no seal.
    """
    from pathlib import Path

    from healthd.config import load
    from healthd.config.rule import render_refusal, render_rule
    from healthd.errors import ConfigError

    try:
        with as_daemon(config):
            settings = load(Path(config) if config else None)
        rule = render_rule(settings).encode("ascii")
        about = "the units that the configuration permits"
    except ConfigError as error:
        count = len(error.problems)
        wrong = f"the configuration has {count} {'problem' if count == 1 else 'problems'} (healthctl config check)"
        if keep_on_error:
            yield f"polkit rule left as it is: {wrong}"
            return
        # Never sealed: each reload is to say that the configuration is still wrong.
        rule, about, made_from = render_refusal().encode("ascii"), f"nothing: {wrong}", ()
    else:
        problem = _write_programs(settings, units)
        if problem:
            yield problem
            made_from = ()
    yield from _write_rule(config, output, units, made_from, rule, about)


def _write_programs(settings: Settings, units: str) -> str:
    """Put the drop-ins in place; what went wrong, if anything did."""
    if not units:
        return ""
    from healthd.cli.dropins import have_read_again, put
    from healthd.config.programs import drop_ins as rendered

    try:
        wanted = {f"{units}/{name}": text.encode() for name, text in rendered(settings).items()}
        if put(wanted, units) and units == UNITS:
            have_read_again()
    except OSError as error:
        return f"programs of exec components not set up below {units}: {error.strerror or error}"
    return ""


def _write_rule(  # noqa: PLR0917
    config: str | None, output: str, units: str, made_from: Sequence[bytes], rule: bytes, about: str
) -> Iterator[str]:
    from pathlib import Path

    from healthd.cli.inplace import put_in_place

    text = rule
    # Nor is it sealed if somebody wrote to a file meanwhile: who knows what of that was parsed.
    with as_daemon(config):
        unchanged = made_from and made_from == sources(config or CONFIG_FILE)
    if unchanged:
        text = sealed(rule, (*made_from, *parts(drop_ins(units))))
    try:
        old = read_rule(output)
        if old == text:
            return
        put_in_place(Path(output), text, mode=PUBLIC)
    except FileNotFoundError:
        yield f"polkit rule not written, healing is off: there is no {Path(output).parent}; is polkitd installed?"
    except OSError as error:
        yield f"polkit rule not written to {output}: {error.strerror or error}"
    else:
        if unsealed(old) != rule:
            yield f"polkit rule written to {output}: it grants {about}"


def _options(arguments: Sequence[str]) -> tuple[str | None, str, str, bool]:
    """The configuration to read (None: the usual one), the rule to write, where unit files are, whether it is a reload.

    Who wants the rule elsewhere wants drop-ins elsewhere too, or none.
    """
    if len(arguments) == 1 and arguments[0] in {_AT_START, _AT_RELOAD}:  # as systemd calls it: argparse takes its time
        return None, RULE_FILE, UNITS, arguments[0] == _AT_RELOAD
    options = _parser().parse_args(arguments)
    return options.config, options.output, options.units, options.at_reload


def _parser() -> argparse.ArgumentParser:
    import argparse

    parser = argparse.ArgumentParser(prog="write-policy", description="Write healthd's polkit rule.")
    when = parser.add_mutually_exclusive_group(required=True)
    when.add_argument(_AT_START, action="store_true", help="a wrong configuration leaves a rule that grants nothing")
    when.add_argument(_AT_RELOAD, action="store_true", help="a wrong configuration leaves the old rule")
    parser.add_argument("--config", metavar="FILE", help=f"read this in place of {CONFIG_FILE}")
    parser.add_argument("--output", metavar="FILE", default=RULE_FILE, help="write this (%(default)s)")
    parser.add_argument("--units", metavar="DIRECTORY", default="", help="write drop-ins of units below this (none)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
