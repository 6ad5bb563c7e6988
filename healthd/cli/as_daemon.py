"""Look at the configuration with the daemon's eyes: what root may read, the daemon perhaps may not."""

from __future__ import annotations

import os
from contextlib import contextmanager

TYPE_CHECKING = False  # without typing, as healthd.cli.seal
if TYPE_CHECKING:
    from collections.abc import Iterator

_USER = "healthd"


@contextmanager
def as_daemon(named: object = None) -> Iterator[None]:
    """Be the daemon's user meanwhile, unless it is not root who asks or there is no such user.

    A file that somebody `named` is read with the eyes of who named it: it need not be the daemon's.
    """
    import pwd

    try:
        user = pwd.getpwnam(_USER) if named is None and os.geteuid() == 0 else None
    except KeyError:
        user = None
    if user is None:
        yield
        return
    groups, group = os.getgroups(), os.getegid()
    os.setgroups([user.pw_gid])
    os.setegid(user.pw_gid)
    os.seteuid(user.pw_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(group)
        os.setgroups(groups)
