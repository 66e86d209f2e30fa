# mypy: ignore-errors
"""Start of a virtual board, before boot.py: flash as `/`, the pins of a board, and nothing of the host.

Runs on MicroPython (unix) in a process of its own, with the machine socket as file 3 and the flash as file 4. What a
Pico does not have is put out of a program's way here. That keeps accidents in, not malice: it is no sandbox.
"""

import builtins
import gc
import sys
import time

import vfs

_BLOCK = 4096
_ABSENT = ("_thread", "mip", "requests", "socket", "ssl", "termios", "tls", "websocket")

_flash = open(4, "r+b")


class _Flash:
    """Blocks of flash. No method branches, because only there could a Ctrl-C end it halfway, and damage the files."""

    def readblocks(self, block, buffer, offset=0):
        _flash.seek(block * _BLOCK + offset)
        _flash.readinto(buffer)

    def writeblocks(self, block, buffer, offset=0):
        _flash.seek(block * _BLOCK + offset)
        _flash.write(buffer)

    def ioctl(self, operation, block):
        return _IOCTL[operation](block)


class _SlowFlash(_Flash):
    """Flash of a Pico: 50 ms to erase 4 KiB and write them."""

    def writeblocks(self, block, buffer, offset=0):
        time.sleep_us(len(buffer) * 5_000 // _BLOCK)
        _flash.seek(block * _BLOCK + offset)
        _flash.write(buffer)

    def ioctl(self, operation, block):
        time.sleep_us(_ERASE_US[operation])
        return _IOCTL[operation](block)


def _nothing(block):
    return 0


_IOCTL = (_nothing, _nothing, _nothing, _nothing, lambda block: 352, lambda block: _BLOCK, _nothing)
_ERASE_US = (0, 0, 0, 0, 0, 0, 45_000)


class _Os:
    """`os` of a board."""

    from os import (
        VfsLfs2,
        chdir,
        getcwd,
        ilistdir,
        listdir,
        mkdir,
        mount,
        remove,
        rename,
        rmdir,
        sep,
        stat,
        statvfs,
        umount,
        unlink,
        urandom,
    )


class _Vfs:
    """`vfs` of a board."""

    from vfs import VfsLfs2, mount, umount


_import = builtins.__import__
_OWN = {"os": _Os, "vfs": _Vfs}


def _board_import(name, *more):
    bare = name[1:] if name[0] == "u" else name
    if bare in _OWN:
        return _OWN[bare]
    if bare.split(".")[0] in _ABSENT:
        raise ImportError(f"no module named '{name}'")
    return _import(name, *more)


def boot(before, unique_id, cause, slow, script):
    """Set the board up, and run boot.py and main.py.

    Parameters
    ----------
    before : int
        Bytes of heap in use when this module was not yet there.
    unique_id : str
        16 hex digits.
    cause : int
        Reset cause.
    slow : bool
        Flash as slow as a Pico's.
    script : bool
        False after a soft reset from the raw REPL, which skips main.py.
    """
    import _machine as machine

    machine.begin(unique_id, cause)
    _OWN["machine"] = machine
    sys.modules.update(_OWN)
    flash = (_SlowFlash if slow else _Flash)()
    try:
        files = vfs.VfsLfs2(flash, progsize=256)
    except OSError:
        vfs.VfsLfs2.mkfs(flash, progsize=256)
        files = vfs.VfsLfs2(flash, progsize=256)
    vfs.umount("/")
    vfs.mount(files, "/")
    _Os.chdir("/")
    sys.path[:] = ["", ".frozen", "/lib"]
    sys.argv.clear()
    del sys.modules["_board"], sys.modules["_machine"]
    builtins.__import__ = _board_import
    gc.collect()
    machine.up(gc.mem_alloc() - before)
    import __main__

    try:
        for file in ("boot.py", "main.py") if script else ("boot.py",):
            if file in _Os.listdir():
                execfile(file, __main__.__dict__)  # noqa: F821
    except SystemExit:
        machine.end(script)
    except BaseException as error:
        sys.print_exception(error)
