"""Tell heisen what a test does, in its own words.

    from heisen_events import mark
    mark("created", "worker", 7)

One call is one line, appended with one write(2) to the file that the environment's HEISEN_EVENTS names.
Without that variable, or where the file is gone or no regular file, nothing happens and nothing is raised.
From many threads and processes at once no event is lost or mixed with another. Python 3.6 or newer.
"""

import os
import re
import stat
import threading
import time
from fcntl import F_GETFL, fcntl

__all__ = ["mark"]

_LONGEST = 4096
_UNSAFE = re.compile("[\x00-\x20\x7f%@]")
_CUT_ESCAPE = re.compile(b"%[0-9A-F]?$")
# O_NONBLOCK: a FIFO in its place would make open wait for a reader.
_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK


def _open():
    """The file's descriptor, or None where nobody listens."""
    path = os.environ.get("HEISEN_EVENTS", "")
    if not path.startswith("/"):
        return None
    try:
        fd = os.open(path, _FLAGS | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        return None
    return fd


_fd = _open()
# What fcntl says of it: O_LARGEFILE is added by the kernel.
_flags = None if _fd is None else fcntl(_fd, F_GETFL)


def _clock_without_ns():
    return int(time.monotonic() * 1e9)


_clock = getattr(time, "monotonic_ns", _clock_without_ns)
# Before Python 3.8 a thread does not know its own id; the event has none then.
_tid = getattr(threading, "get_native_id", str)


def _text(value):
    try:
        return str(value)
    except Exception:  # the test's own __str__ is not this module's to judge
        return type(value).__name__


def _escape(word):
    return _UNSAFE.sub(lambda found: "%%%02X" % ord(found.group()), word) or "%."


def _line(name, fields):
    try:
        words = [str(name), *map(str, fields)]
    except Exception:
        words = [_text(name), *map(_text, fields)]
    if "" in words or _UNSAFE.search("".join(words)):
        words = map(_escape, words)
    line = f"@{_clock()}:{os.getpid()}:{_tid()} {' '.join(words)}\n"
    try:
        data = line.encode()
    except UnicodeEncodeError:
        data = line.encode("utf-8", "backslashreplace")
    if len(data) > _LONGEST:
        data = _CUT_ESCAPE.sub(b"", data[: _LONGEST - 1]) + b"\n"
    return data


def mark(name, *fields):
    """Tell one event: its name, and what it was done with or to (anything; str() of it is told)."""
    if _fd is None:
        return
    line = _line(name, fields)
    try:
        # A daemon that closed all descriptors may have another file under this number by now; hardly one that
        # was opened to append without blocking. fstat would be surer and takes as long as the write.
        if fcntl(_fd, F_GETFL) == _flags:
            os.write(_fd, line)
    except OSError:
        pass  # nobody can be told: the test goes on as if it had not been asked
