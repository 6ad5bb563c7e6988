"""What healthd.toml(5) says around its tables, as roff."""

from __future__ import annotations

from typing import Final

BEFORE: Final = r""".\" Rendered by python3 -m healthd.config.reference man: change the declarations, not this file.
.TH HEALTHD.TOML 5 "" healthd "File Formats"
.SH NAME
healthd.toml \- configuration of healthd
.SH SYNOPSIS
.I /etc/healthd/healthd.toml
.br
.I /etc/healthd/conf.d/*.toml
.SH DESCRIPTION
The configuration of
.BR healthd (8),
in TOML.
Nothing has to be set: without any file healthd watches every enabled service and heals it within limits,
which are the defaults below.
.PP
The files are read in the order given above, those of conf.d in the order of their names;
files whose names begin with a dot are left out.
Tables merge, and a value replaces the one that an earlier file gave to the same key; an array counts as one value.
.PP
Durations are numbers in the unit that the key's name ends in.
Counts go to 100000, and 0 switches a limit off where the key's text says so.
.PP
Every value is checked.
A value of the wrong type or out of range, an unknown key, a contradiction between two values and a reference to
something that does not exist are errors; all of them are told at once, each in one line with file, line, key,
what was found and what is allowed.
At its start the daemon then ends with exit status 78; at a reload it keeps the configuration that it has.
.PP
.EX
healthctl config check
systemctl reload healthd
.EE
.PP
shows what is wrong without touching the daemon, and puts a change in force.
.B healthctl config show
prints the configuration that is in force, with defaults.
.SH "UNIT PATTERNS"
.BR allow ,
.BR protect ,
.B watch
and
.B ignore
hold names of units or patterns of them:
.B *
is any run of characters,
.B ?
any one,
.B [a\-z]
one of a set and
.B [!a\-z]
one that is not in it.
A backslash is itself.
A pattern that names no unit type fits units of every type: \(dqnginx\(dq fits nginx.service and nginx.socket.
.PP
These are never acted on, whatever
.B allow
says: dbus*, polkit, polkit\-*, systemd\-* (but systemd\-networkd, systemd\-resolved and systemd\-timesyncd), rescue,
emergency, debug\-shell, initrd\-*, getty@*, serial\-getty@*, user@*, user\-runtime\-dir@*, apt\-daily*,
unattended\-upgrades, healthd*, and the targets that stop or suspend the host (poweroff.target, reboot.target
and their like).
An entry of this list is taken out by naming it exactly as it stands here, with an exclamation mark before it:
.PP
.EX
protect = ["!getty@*", "database*.service"]
.EE
.PP
What
.B allow
and
.B protect
say is also what polkit grants to the daemon's user: the rule in
.I /etc/polkit\-1/rules.d/60\-healthd\-units.rules
is written from them at each start and reload.
.SH SECRETS
The text of any key of [alerting] that holds addresses or keys may be left to systemd:
.PP
.EX
pagerduty_key = { credential = "pagerduty" }
.EE
.PP
takes it from the file
.IR /etc/healthd/credentials/pagerduty ,
which only the delivery process sees.
A secret written into a file that everybody may read is a warning.
"""

AFTER: Final = r""".SH FILES
.TP
.I /etc/healthd/healthd.toml
The main file, 0640 root:healthd.
.TP
.I /etc/healthd/conf.d/*.toml
Further files.
.TP
.I /etc/healthd/credentials/
Secrets, a file each, 0700 root.
.TP
.I /etc/polkit\-1/rules.d/60\-healthd\-units.rules
Written by healthd: what its user may do to units.
.SH EXAMPLES
Watch and tell, but act on nothing but two services:
.PP
.EX
[auto_healing]
allow = ["nginx.service", "postgresql@*.service"]
.EE
.PP
A service whose failure makes the host unhealthy, reloaded first, then restarted, then repaired by a oneshot unit
of one's own:
.PP
.EX
[services."nginx.service"]
critical = true
actions = ["reload_unit", "restart_unit", "run_unit:nginx\-repair.service"]
.EE
.PP
A web application that is restarted when its page fails three times in a row:
.PP
.EX
[component.web]
type = "http"
url = "http://127.0.0.1:8000/healthz"
unit = "web.service"
interval_seconds = 5
.EE
.PP
A number from a program's own Prometheus page:
.PP
.EX
[component.queue]
type = "metrics"
url = "http://127.0.0.1:9100/metrics"
values = { errors = { metric = "queue_errors_total", per_interval = true } }
warning = { errors = 3 }
critical = { errors = 10 }
.EE
.SH "SEE ALSO"
.BR healthd (8),
.BR healthctl (1),
.BR systemd.unit (5),
.BR polkit (8)
"""
