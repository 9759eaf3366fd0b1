"""Where the hooks write what they have to tell: lines that a crash of the program leaves behind.

A write to a file lets another thread have the GIL, so telling of a point would be a disturbance of its own at every
point, which no plan names and no replay can leave out. So lines go into a mapping of a file, by assignment to memory. The
mmap module keeps a descriptor that programs see; the C function, reached through _ctypes, keeps none. Where there is no
_ctypes, each line is a write.
"""

import itertools
import os

SLOT = 256  # bytes of a line, filled up with zeros: threads take slots with one step and without a lock
SLOTS = 1024  # of one mapping; the next one is made when they are used up


class Record:
    """The record of one process. The mapping is a file beside path, which is for all processes of the attempt."""

    def __init__(self, path):
        self.path = path
        self.begin()

    def begin(self):
        """Take a file that is this process's own."""
        self.next, self.views, self.own = itertools.count(), {}, None
        try:
            self.own = self.create()
            self.view(0)
        except Exception:  # no _ctypes, no space, another user: then each line is a write
            self.own = None

    def create(self):
        for n in itertools.count():  # a process that executed itself has its number still
            name = "%s.%d.%d" % (self.path, os.getpid(), n)
            try:
                os.close(os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
                return name
            except FileExistsError:
                pass

    def view(self, i):
        """The i-th mapping. Two threads may make it at once: both are of the same bytes."""
        view = self.views.get(i)
        if view is None:
            fd = os.open(self.own, os.O_RDWR | os.O_CLOEXEC)
            try:
                # With its space taken no assignment can be the one that finds the disk full, which is a signal.
                os.posix_fallocate(fd, i * SLOT * SLOTS, SLOT * SLOTS)
                view = self.views[i] = mapping(fd, i * SLOT * SLOTS, SLOT * SLOTS)
            finally:
                os.close(fd)
        return view

    def tell(self, line):
        if self.own is None or len(line) > SLOT:
            return self.append(line)
        n = next(self.next)
        try:
            view = self.view(n // SLOTS)
        except Exception:
            self.own = None
            return self.append(line)
        at = n % SLOTS * SLOT
        view[at:at + len(line)] = line

    def append(self, line):
        try:
            fd = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
            try:
                os.write(fd, line)
            finally:
                os.close(fd)
        except OSError:
            pass


def mapping(fd, offset, size):
    """Memory that is these bytes of the file, without a descriptor, for as long as the process lives (mmap(2))."""
    import _ctypes

    class Word(_ctypes._SimpleCData):
        _type_ = "L"

    class Int(_ctypes._SimpleCData):
        _type_ = "i"

    class Object(_ctypes._SimpleCData):
        _type_ = "O"

    class Map(_ctypes.CFuncPtr):
        _flags_, _restype_, _argtypes_ = _ctypes.FUNCFLAG_CDECL, Word, (Word, Word, Int, Int, Int, Word)

    class View(_ctypes.CFuncPtr):
        _flags_, _restype_, _argtypes_ = _ctypes.FUNCFLAG_CDECL | _ctypes.FUNCFLAG_PYTHONAPI, Object, (Word, Word, Int)

    library = _ctypes.dlopen(None, 0)
    read_write, shared, failed, writable = 3, 1, Word(-1).value, 0x200  # PROT_, MAP_SHARED, MAP_FAILED, PyBUF_WRITE
    where = Map(_ctypes.dlsym(library, "mmap"))(0, size, read_write, shared, fd, offset)
    if where == failed:
        raise OSError("mmap failed")
    return View(_ctypes.dlsym(library, "PyMemoryView_FromMemory"))(where, size, writable)
