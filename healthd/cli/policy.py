"""/usr/lib/healthd/write-policy: write the polkit rule from the configuration, as root, at each start and reload.

It always ends with 0 and leaves it to the daemon to report a wrong configuration: were it to fail, systemd would
restart the service for ever in spite of RestartPreventExitStatus=.
"""

from __future__ import annotations

import os
import sys

from healthd.cli.as_daemon import as_daemon
from healthd.cli.seal import PUBLIC, is_current, read_rule, sealed, sources, unsealed

TYPE_CHECKING = False  # without typing, as healthd.cli.seal
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from pathlib import Path

CONFIG_FILE = "/etc/healthd/healthd.toml"
RULE_FILE = "/etc/polkit-1/rules.d/60-healthd-units.rules"
_AT_START = "--at-start"
_AT_RELOAD = "--at-reload"


def main(argv: Sequence[str] | None = None) -> int:
    """Write the rule; say on stderr, in one line, what changed or why nothing could. Returns 0."""
    config, output, at_reload = _options(sys.argv[1:] if argv is None else argv)
    with as_daemon(config):
        made_from = sources(config or CONFIG_FILE)
    if made_from and is_current(output, made_from):
        return 0
    said = write_policy(config, output, made_from, keep_on_error=at_reload)
    if said:
        sys.stderr.write(f"{said}\n")
    return 0


def write_policy(config: str | None, output: str, made_from: Sequence[bytes], *, keep_on_error: bool) -> str:
    """Write the rule for a configuration to `output`. Returns what there is to say, "" if it grants what it did.

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
            return f"polkit rule left as it is: {wrong}"
        # Never sealed: each reload is to say that the configuration is still wrong.
        rule, about, made_from = render_refusal().encode("ascii"), f"nothing: {wrong}", ()
    text = rule
    # Nor is it sealed if somebody wrote to a file meanwhile: who knows what of that was parsed.
    with as_daemon(config):
        unchanged = made_from and made_from == sources(config or CONFIG_FILE)
    if unchanged:
        text = sealed(rule, made_from)
    try:
        old = read_rule(output)
        if old == text:
            return ""
        _replace(Path(output), text)
    except FileNotFoundError:
        return f"polkit rule not written, healing is off: there is no {Path(output).parent}; is polkitd installed?"
    except OSError as error:
        return f"polkit rule not written to {output}: {error.strerror or error}"
    return "" if unsealed(old) == rule else f"polkit rule written to {output}: it grants {about}"


def _options(arguments: Sequence[str]) -> tuple[str | None, str, bool]:
    """The configuration to read (None: the usual one), the rule to write, and whether this is a reload."""
    if len(arguments) == 1 and arguments[0] in {_AT_START, _AT_RELOAD}:  # as systemd calls it: argparse takes its time
        return None, RULE_FILE, arguments[0] == _AT_RELOAD
    options = _parser().parse_args(arguments)
    return options.config, options.output, options.at_reload


def _parser() -> argparse.ArgumentParser:
    import argparse

    parser = argparse.ArgumentParser(prog="write-policy", description="Write healthd's polkit rule.")
    when = parser.add_mutually_exclusive_group(required=True)
    when.add_argument(_AT_START, action="store_true", help="a wrong configuration leaves a rule that grants nothing")
    when.add_argument(_AT_RELOAD, action="store_true", help="a wrong configuration leaves the old rule")
    parser.add_argument("--config", metavar="FILE", help=f"read this in place of {CONFIG_FILE}")
    parser.add_argument("--output", metavar="FILE", default=RULE_FILE, help="write this (%(default)s)")
    return parser


def _replace(output: Path, rule: bytes) -> None:
    """Put the rule in place in one step: polkitd reads the folder at each change and must never see half of it."""
    # Nor may the name end in .rules. It is always the same, so that a power cut leaves no litter behind.
    temporary = output.with_name(f".{output.name}.new")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, PUBLIC)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, PUBLIC)
            file.write(rule)
            file.flush()
            os.fsync(descriptor)
        temporary.replace(output)
    finally:
        temporary.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
