"""Decides whether this interpreter is one to have the hooks, and steps aside for the sitecustomize of the user's own."""

import os
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))
_MARK = "HEISEN_PYTHON_LOADED"


def chain():
    """Load the sitecustomize that this one stands before, as if this one were not there."""
    sys.path[:] = [p for p in sys.path if os.path.abspath(p or ".") != _HERE]
    ours = sys.modules.pop("sitecustomize", None)
    try:
        import sitecustomize  # noqa: F401
    except ImportError as e:
        if getattr(e, "name", "sitecustomize") != "sitecustomize":
            raise
        if ours is not None:
            sys.modules["sitecustomize"] = ours


def _settings():
    text = os.environ.get("HEISEN_PYTHON", "")
    pairs = (part.partition("=") for part in text.split(";"))
    return {name: value for name, _, value in pairs if name}


def _mark():
    """Leave a mark for whoever loads these hooks later, and return the one that was there: the number of the
    process, this one or one above it, that loaded them last; "" for none.

    The mark is in the C environment only, so os.environ of this program never shows it.
    """
    found = os.environ.pop(_MARK, "")
    os.putenv(_MARK, str(os.getpid()))
    return found


def _subinterpreter(mark):
    """Tell whether this is a second interpreter in a process: module site is run again in each.

    Up to Python 3.8 interpreters share one copy of the C environment, in which the mark is missing. A process that
    executed itself finds its own mark too.
    """
    if sys.version_info >= (3, 9) and mark != str(os.getpid()):
        return False
    try:
        import _interpreters as interpreters
    except ImportError:
        try:
            import _xxsubinterpreters as interpreters
        except ImportError:
            return bool(mark)
    return interpreters.get_current() != interpreters.get_main()


def begin():
    if sys.version_info < (3, 8) or sys.implementation.name != "cpython":
        return
    settings = _settings()
    if settings.get("version") != "1":
        return
    before = _mark()
    if _subinterpreter(before):
        return
    try:
        from heisen_hooks import Hooks
        Hooks(settings, _HERE, first=not before).install()
    except Exception as e:  # a fault of ours must never become the test's
        _complain(settings, e)


def _complain(settings, e):
    try:
        fd = os.open(settings["record"], os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        try:
            os.write(fd, ("fault\t%s: %s\n" % (type(e).__name__, e)).encode("utf-8", "replace")[:500])
        finally:
            os.close(fd)
    except (KeyError, OSError):
        pass

