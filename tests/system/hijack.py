"""Runs inside a host: replaces what the main thread of a process does next, as a bug in C code would.

Arguments: PID spin|lock. The thread then turns in an endless loop, or sleeps for ever; it is x86-64 code.
"""

import ctypes
import os
import sys

CODE = {
    "spin": b"\xeb\xfe",  # jmp to itself
    "lock": b"\xb8\x22\x00\x00\x00\x0f\x05\xeb\xf7",  # mov eax, pause; syscall; jmp to the begin
}
POKE, GET_REGISTERS, ATTACH, DETACH = 4, 12, 16, 17
RIP = 16  # its place in struct user_regs_struct
ALL_THREADS = 0x40000000

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.restype = ctypes.c_long
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


def ptrace(request: int, pid: int, address: int = 0, data: int = 0) -> None:
    """The system call, an error as OSError."""
    if libc.ptrace(request, pid, address, data) == -1:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


def main() -> None:
    """Writes the code to where the thread goes on, and lets it go on."""
    pid, code = int(sys.argv[1]), CODE[sys.argv[2]].ljust(16, b"\x90")
    ptrace(ATTACH, pid)
    os.waitpid(pid, ALL_THREADS)
    registers = (ctypes.c_ulonglong * 27)()
    ptrace(GET_REGISTERS, pid, 0, ctypes.addressof(registers))
    for place in (0, 8):
        ptrace(POKE, pid, registers[RIP] + place, int.from_bytes(code[place : place + 8], "little"))
    ptrace(DETACH, pid)


if os.uname().machine != "x86_64":
    sys.exit("this speaks the machine language of x86-64 only")
main()
