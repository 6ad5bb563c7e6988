"""The first root file system of a virtual machine: loads the driver of its disk, and changes over to that."""

import lzma
from pathlib import Path

_MODULES = ("virtio_ring", "virtio", "virtio_pci_modern_dev", "virtio_pci_legacy_dev", "virtio_pci", "virtio_blk")
_INIT = """#!/bin/busybox sh
/bin/busybox mkdir -p /dev /proc /root
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox mount -t proc proc /proc
for module in {modules}; do /bin/busybox insmod "/$module.ko"; done
until [ -b /dev/vda ]; do /bin/busybox sleep 0.05; done
/bin/busybox mount -t ext4 /dev/vda /root
/bin/busybox mount --move /dev /root/dev
/bin/busybox umount /proc
exec /bin/busybox switch_root /root /sbin/init
"""
_FILE, _DIRECTORY = 0o100755, 0o040755


def initrd(busybox: Path, modules: Path) -> bytes:
    """A cpio archive (its "newc" form); `modules` is the kernel's directory of modules."""
    found = {name: path for name in _MODULES for path in modules.rglob(f"{name}.ko*")}  # what is built in has no file
    files = {"init": _INIT.format(modules=" ".join(found)).encode(), "bin/busybox": busybox.read_bytes()}
    files |= {f"{name}.ko": _content(path) for name, path in found.items()}
    entries = [_entry("bin", _DIRECTORY, b""), *(_entry(name, _FILE, content) for name, content in files.items())]
    return b"".join([*entries, _entry("TRAILER!!!", 0, b"")])


def _content(module: Path) -> bytes:
    """Debian 13 compresses its modules."""
    return lzma.decompress(module.read_bytes()) if module.suffix == ".xz" else module.read_bytes()


def _entry(name: str, mode: int, content: bytes) -> bytes:
    """Magic, inode, mode, uid, gid, links, mtime, size, four device numbers, length of the name, no checksum."""
    fields = (0, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0)
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + name.encode() + b"\0"
    return _padded(head) + _padded(content)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
