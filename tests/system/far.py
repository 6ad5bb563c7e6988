"""A file system of which somebody else must tell how full it is: a small server of FUSE, which can be made to hang."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from tests.system.units import service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.system.ward import Ward

_SERVER: Final = """
import ctypes, os, socket, struct, sys
kind, source, where = sys.argv[1:]
fuse = os.open("/dev/fuse", os.O_RDWR)
options = f"fd={fuse},rootmode=40000,user_id=0,group_id=0,allow_other"
libc = ctypes.CDLL(None, use_errno=True)
if libc.mount(source.encode(), where.encode(), kind.encode(), 0, options.encode()):
    sys.exit(os.strerror(ctypes.get_errno()))
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
    systemd.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
INIT, STATFS, GETATTR, UNANSWERED = 26, 17, 3, (2, 36, 42)
ANSWERS = {
    INIT: struct.pack("<IIIIHHII", 7, 26, 0, 0, 16, 12, 65536, 1) + bytes(36),
    STATFS: struct.pack("<QQQQQIIII", 1000, 900, 900, 100, 90, 4096, 255, 4096, 0) + bytes(24),
    GETATTR: struct.pack("<QIIQ", 1, 0, 0, 1) + bytes(52) + struct.pack("<IIIIIII", 0o40755, 2, 0, 0, 0, 4096, 0),
}
while request := os.read(fuse, 1 << 20):
    _, operation, unique = struct.unpack_from("<IIQ", request)
    answer = ANSWERS.get(operation)
    if operation not in UNANSWERED:
        error = -38 if answer is None else 0  # ENOSYS
        os.write(fuse, struct.pack("<IiQ", 16 + len(answer or b""), error, unique) + (answer or b""))
"""


@contextmanager
def mounted(ward: Ward, kind: str, source: str, where: str) -> Iterator[str]:
    """Has it mounted at `where` as a file system of this kind, 10 % full; gives the unit of its server."""
    ward.host.sh(f"modprobe fuse || true; [ -e /dev/fuse ] || mknod /dev/fuse c 10 229; mkdir -p {where}")
    ward.host.write("/usr/local/lib/far.py", _SERVER)
    command = f"/usr/bin/python3 /usr/local/lib/far.py {kind} {source} {where}"
    unit = ward.add(service(command, "Type=notify"), enable=False)
    try:
        yield unit
    finally:
        ward.kill(unit, "KILL")  # which ends all waiting, too
        ward.host.run(["umount", where])
        ward.discard(unit)
