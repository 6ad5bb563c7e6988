"""Which lines of mountinfo are file systems that somebody cares for. The texts are those of real hosts, shortened."""

from __future__ import annotations

import pytest

from healthd.host.mounts import chosen, meant_writable

SERVER = b"""\
22 27 0:21 / /proc rw,nosuid,nodev,noexec,relatime shared:12 - proc proc rw
23 27 0:22 / /sys rw,nosuid,nodev,noexec,relatime shared:7 - sysfs sysfs rw
24 27 0:5 / /dev rw,nosuid,relatime shared:2 - devtmpfs udev rw,size=4010368k,nr_inodes=1002592,mode=755
25 24 0:23 / /dev/pts rw,nosuid,noexec,relatime shared:3 - devpts devpts rw,gid=5,mode=620,ptmxmode=000
26 27 0:24 / /run rw,nosuid,nodev,noexec,relatime shared:5 - tmpfs tmpfs rw,size=806280k,mode=755
27 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw,errors=remount-ro
28 23 0:6 / /sys/kernel/security rw,nosuid,nodev,noexec,relatime shared:8 - securityfs securityfs rw
29 24 0:25 / /dev/shm rw,nosuid,nodev shared:4 - tmpfs tmpfs rw
31 23 0:27 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate
34 22 0:30 / /proc/sys/fs/binfmt_misc rw,relatime shared:13 - autofs systemd-1 rw,fd=29,pgrp=1,timeout=0,direct
40 27 254:15 / /boot/efi rw,relatime shared:29 - vfat /dev/vda15 rw,fmask=0077,dmask=0077,errors=remount-ro
41 26 0:33 / /run/credentials/systemd-sysusers.service ro,nosuid,relatime shared:16 - ramfs ramfs rw,mode=700
50 27 7:0 / /snap/core20/1974 ro,nodev,relatime shared:30 - squashfs /dev/loop0 ro,errors=continue
51 27 11:0 / /media/cdrom ro,relatime shared:31 - iso9660 /dev/sr0 ro
52 27 0:45 / /srv/share rw,relatime shared:32 - nfs4 10.0.0.1:/share rw,vers=4.2
53 27 0:46 / /home/a/remote rw,nosuid,nodev shared:33 - fuse.sshfs b@c:/ rw,user_id=1000
54 27 8:17 / /mnt/windows rw,relatime shared:34 - fuseblk /dev/sdb1 rw,user_id=0,allow_other
55 27 0:60 / /var/lib/docker/overlay2/abc/merged rw,relatime shared:35 - overlay overlay rw,lowerdir=/l,upperdir=/u
56 26 0:50 / /run/user/1000 rw,nosuid,nodev,relatime shared:36 - tmpfs tmpfs rw,size=806276k,uid=1000
"""

CONTAINER = b"""\
123 95 0:39 / / rw,relatime shared:1 - overlay overlay rw,lowerdir=/l,upperdir=/u
124 123 0:42 / /tmp rw,nosuid,nodev shared:2 - tmpfs tmpfs rw,size=2468368k,nr_inodes=409600
125 123 0:44 / /sys ro,nosuid,nodev,noexec,relatime shared:3 - tmpfs tmpfs rw,size=4096k,mode=555
126 123 0:47 / /dev rw,nosuid shared:4 - tmpfs tmpfs rw,size=4096k,nr_inodes=65536,mode=755
127 126 0:48 / /dev/shm rw,nosuid,nodev shared:5 - tmpfs tmpfs rw,size=2468368k,nr_inodes=409600
129 123 0:49 / /run rw,nosuid,nodev shared:6 - tmpfs tmpfs rw,size=4936732k,nr_inodes=819200,mode=755
130 129 0:49 /host /run/host ro,nosuid,nodev,noexec shared:6 - tmpfs tmpfs rw,size=4936732k,mode=755
131 130 254:0 /usr/lib/os-release /run/host/os-release ro,relatime shared:7 - ext4 /dev/vda rw,discard
136 123 0:52 / /proc rw,nosuid,nodev,noexec,relatime shared:10 - proc proc rw
52 136 0:49 /.#proc-kmsg0b966899e3c4488d//deleted /proc/kmsg rw,nosuid,nodev shared:6 - tmpfs tmpfs rw,mode=755
57 129 0:54 / /run/lock rw,nosuid,nodev,noexec,relatime shared:14 - tmpfs tmpfs rw,size=5120k
"""

ROOT = b"27 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw\n"


def names(mountinfo: bytes) -> list[str]:
    return [entry.name for entry in chosen(mountinfo)]


def test_on_a_server_disks_and_memory_file_systems_count_and_remote_ones_are_named() -> None:
    found = {entry.name: entry.remote for entry in chosen(SERVER)}

    local = ["/", "/boot/efi", "/dev/shm", "/mnt/windows", "/run", "/run/user/1000"]
    assert [name for name, remote in found.items() if not remote] == local
    assert [name for name, remote in found.items() if remote] == ["/home/a/remote", "/srv/share"]


def test_in_a_container_its_root_counts_and_what_its_manager_mounted_does_not() -> None:
    assert names(CONTAINER) == ["/", "/dev/shm", "/run", "/run/lock", "/tmp"]


@pytest.mark.parametrize(
    "further",
    [
        b"60 27 254:1 /srv/data /var/data rw,relatime shared:1 - ext4 /dev/vda1 rw",
        b"60 27 254:1 / /also rw,relatime shared:1 - ext4 /dev/vda1 rw",
    ],
    ids=["a part of it", "all of it"],
)
def test_a_file_system_that_is_mounted_twice_counts_once_by_the_name_near_the_root(further: bytes) -> None:
    assert names(further + b"\n" + ROOT) == ["/"]


def test_the_subvolumes_of_a_btrfs_are_one_file_system() -> None:
    assert names(
        b"27 1 0:30 /@ / rw,relatime shared:1 - btrfs /dev/vda1 rw,subvolid=256,subvol=/@\n"
        b"28 27 0:30 /@home /home rw,relatime shared:2 - btrfs /dev/vda1 rw,subvolid=257,subvol=/@home\n"
    ) == ["/"]


def test_what_was_mounted_over_is_not_looked_for_under_its_path() -> None:
    below = b"60 27 8:1 / /data rw - ext4 /dev/sda1 rw\n61 60 8:2 / /data/deep rw - ext4 /dev/sda2 rw\n"
    over_itself = b"62 60 8:3 / /data rw - ext4 /dev/sdb1 rw\n"
    on_the_way = b"60 27 8:1 / /data/x rw - ext4 /dev/sda1 rw\n61 27 8:3 / /data rw - ext4 /dev/sdb1 rw\n"

    assert [entry.device for entry in chosen(ROOT + below)] == ["254:1", "8:1", "8:2"]
    assert [entry.device for entry in chosen(ROOT + below + over_itself)] == ["254:1", "8:3"]
    assert [entry.device for entry in chosen(ROOT + on_the_way)] == ["254:1", "8:3"]


def test_a_root_that_was_mounted_over_the_one_of_the_early_boot_is_the_root() -> None:
    rootfs = b"1 1 0:2 / / rw - rootfs rootfs rw\n"

    assert names(rootfs + SERVER) == names(SERVER)


def test_whether_it_can_be_written_to_is_what_the_superblock_says_and_not_the_mount() -> None:
    only_here = b"60 27 8:1 / /a ro,relatime - ext4 /dev/sda1 rw,errors=remount-ro\n"
    for_all = b"60 27 8:1 / /a rw,relatime - ext4 /dev/sda1 %s\n"

    assert chosen(ROOT + only_here)[1].writable
    for options in (b"ro,errors=remount-ro", b"rw,errors=remount-ro,emergency_ro", b"rw,shutdown"):
        assert not chosen(ROOT + for_all % options)[1].writable


def test_names_with_blanks_and_worse_are_shown_as_they_are_or_made_fit_to_be_shown() -> None:
    blank, worse = rb"/my\040disk", rb"/a\012b" + b"\xff"
    mounts = [
        b"6%d 27 8:%d / %s rw - ext4 /dev/sda rw\n" % (number, number, name)
        for number, name in enumerate((blank, worse))
    ]

    found = chosen(ROOT + b"".join(mounts))

    assert [entry.name for entry in found] == ["/", "/a?b\ufffd", "/my disk"]
    assert [entry.path for entry in found] == [b"/", b"/a\nb\xff", b"/my disk"]


@pytest.mark.parametrize("text", [b"nonsense", b"1 2 3 - a", b"x 1 8:1 / / rw - ext4 a rw"])
def test_what_is_no_mountinfo_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"mountinfo|invalid literal"):
        chosen(text)


def test_fstab_says_what_is_meant_to_be_writable() -> None:
    fstab = """
# /etc/fstab
UUID=1 / ext4 errors=remount-ro 0 1
UUID=2 /srv/my\\040archive ext4 noatime,ro 0 2
UUID=3 /backup ext4 noauto 0 0
UUID=4 none swap sw 0 0
nonsense
"""

    assert meant_writable(fstab) == {b"/": True, b"/srv/my archive": False, b"none": True}
