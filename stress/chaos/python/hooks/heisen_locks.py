"""Locks that the program itself makes, with a point at each acquire and release.

The standard library keeps real locks: C code may ask for exactly those. A program's lock answers to all that
a real one does, also to a Condition built on it.
"""

import sys


def replace_locks(hooks, threading):
    """Make threading.Lock and threading.RLock give locks with points to callers outside the library."""
    threading.Lock = factory(hooks, threading.Lock, "lock")
    threading.RLock = factory(hooks, threading.RLock, "rlock")


def factory(hooks, make, kind):
    library = hooks.skip

    class Kind(type):
        def __call__(cls, *args, **kwargs):
            lock = make(*args, **kwargs)
            caller = sys._getframe(1).f_code.co_filename
            if caller.startswith(library) and "/test/" not in caller:
                return lock
            return wrap(hooks, lock, kind, wrapped)

        def __instancecheck__(cls, instance):
            return isinstance(instance, (Wrapped, real))

    class Factory(metaclass=Kind):
        __slots__ = ()

    real = make if isinstance(make, type) else type(make())
    wrapped = like(real)
    Factory.__name__ = Factory.__qualname__ = getattr(make, "__name__", kind)
    Factory.__module__, Factory.__doc__ = getattr(make, "__module__", None), make.__doc__
    return Factory


class Wrapped:
    """A lock of the program's: the real one does the work."""

    __slots__ = ("_lock", "_at", "_acquire", "_acquired", "_release", "_released", "__weakref__")

    def __getattr__(self, name):  # _is_owned, _release_save, _acquire_restore, _at_fork_reinit, ...
        return getattr(self._lock, name)

    def acquire(self, *args, **kwargs):
        self._at(self._acquire)
        got = self._lock.acquire(*args, **kwargs)
        # A signal handler may raise at a point. A real lock is then not acquired yet, or released already: no program
        # expects to have one that a with statement did not get.
        try:
            self._at(self._acquired)
        except BaseException:
            if got:
                self._lock.release()
            raise
        return got

    def release(self):
        try:
            self._at(self._release)
        finally:
            self._lock.release()
        self._at(self._released)

    def __enter__(self):
        return self.acquire()

    def __exit__(self, *exc):
        self.release()

    def __repr__(self):
        return repr(self._lock)


def like(real):
    """The type of a program's locks of one kind: it has the real one's name, and who calls it gets what that gives."""

    class Type(type):
        def __call__(cls, *args, **kwargs):
            return real(*args, **kwargs)

    return Type(real.__name__, (Wrapped,), {"__slots__": (), "__module__": real.__module__, "__doc__": real.__doc__})


def wrap(hooks, lock, kind, wrapped):
    w = object.__new__(wrapped)
    w._lock, w._at = lock, hooks.at
    w._acquire, w._acquired = kind + ".acquire.entry", kind + ".acquire.exit"
    w._release, w._released = kind + ".release.entry", kind + ".release.exit"
    return w
