"""Room for virtual boards: what a machine has to have for so many, looked at before any is started."""

import os
import resource
from collections.abc import Iterator
from pathlib import Path

from clockfree_sim.virtual.ports import inotify

FILES, PROCESSES, MEMORY_MIB = 9, 3, 2
"""A board takes so many files of one process; a process, and two threads of a host that talks to all boards at once;
and so much memory beside its heap (measured, with a thousand: 1.8, the kernel's share and the host's included)."""

_MORE_FILES, _MORE_PROCESSES, _MORE_MIB = 100, 50, 500
"""What the bench takes beside its boards."""

_PROC, _CGROUPS = Path("/proc"), Path("/sys/fs/cgroup")
_MIB = 1 << 20
_UNLIMITED = 1 << 60


def lacking(boards: int, heap_kib: int) -> str:
    """What is too little here for so many boards, in words; "" if nothing is.

    RLIMIT_NPROC is taken to hold for root too, as it does in a container that maps root to a user.
    """
    memory_mib = boards * (MEMORY_MIB + heap_kib / 1024) + _MORE_MIB
    needs = (
        ("open files (ulimit -Hn)", boards * FILES + _MORE_FILES, _files()),
        ("free pseudo-terminals (kernel.pty.max)", boards, _terminals()),
        ("inotify instance (fs.inotify.max_user_instances)", 1, _watches()),
        ("further processes and threads (ulimit -u, pids.max)", boards * PROCESSES + _MORE_PROCESSES, _processes()),
        ("MiB of free memory (memory.max)", round(memory_mib), _memory() // _MIB),
    )
    few = [f"expected {wanted:,} {what}, got {max(0, there):,}" for what, wanted, there in needs if there < wanted]
    return f"{boards:,} virtual boards: {'; '.join(few)}" if few else ""


def _files() -> int:
    return _most(resource.getrlimit(resource.RLIMIT_NOFILE)[1])


def _watches() -> int:
    """1 where another inotify instance can be had: nobody tells how many there are of this user."""
    try:
        os.close(inotify())
    except OSError:
        return 0
    return 1


def _terminals() -> int:
    """Those that are free; what is kept for the host of a container is not."""
    most, kept, used = (int((_PROC / "sys/kernel/pty" / name).read_text()) for name in ("max", "reserve", "nr"))
    return most - kept - used


def _processes() -> int:
    """Processes and threads that this user, and every group of processes that this one is in, may have further."""
    room = [_most(resource.getrlimit(resource.RLIMIT_NPROC)[0]) - _of_user()]
    for group in _groups("pids"):
        limit = _number(group / "pids.max")
        if limit is not None:
            room.append(limit - (_number(group / "pids.current") or 0))
    return min(room)


def _of_user() -> int:
    """Processes and threads of this user."""
    count = 0
    for process in _PROC.iterdir():
        if process.name.isdecimal():
            try:
                if process.stat().st_uid == os.getuid():
                    count += len(os.listdir(process / "task"))
            except OSError:  # it has just ended
                pass
    return count


def _memory() -> int:
    """Bytes that the machine, and every group of processes that this one is in, can give; files held in it go first."""
    (available,) = (line.split()[1] for line in _lines(_PROC / "meminfo") if line.startswith("MemAvailable:"))
    room = [1024 * int(available)]
    for group in _groups("memory"):
        for limit, usage, held in (
            ("memory.max", "memory.current", "inactive_file"),
            ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
        ):
            most = _number(group / limit)
            if most is not None and most < _UNLIMITED:
                cached = [int(line.split()[1]) for line in _lines(group / "memory.stat") if line.startswith(held + " ")]
                room.append(most - (_number(group / usage) or 0) + sum(cached))
    return min(room)


def _groups(controller: str) -> Iterator[Path]:
    """The folders of the control groups that this process is in, inner ones first, of either version."""
    for line in _lines(_PROC / "self/cgroup"):
        _, controllers, inside = line.split(":", 2)
        if not controllers or controller in controllers.split(","):
            top = _CGROUPS / controller if controllers else _CGROUPS
            here = top / inside.strip("/")
            yield from (folder for folder in (here, *here.parents) if folder.is_relative_to(top))


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text().splitlines()
    except OSError:  # a kernel, or a container, without it
        return []


def _number(file: Path) -> int | None:
    """The number in a file; None where there is no such file, or no limit."""
    words = _lines(file)
    return int(words[0]) if words and words[0].isdecimal() else None


def _most(limit: int) -> int:
    return _UNLIMITED if limit == resource.RLIM_INFINITY else limit
