"""What heisen does inside CPython: where threads meet it may let time pass, and says so.

A point is the entry or the exit of an operation: thread start, lock, condition, event, semaphore, barrier,
queue, future, subprocess. At each a decision is drawn: nothing, give way, or sleep a little.
"""

import _thread
import os
import sys
import time

from heisen_locks import replace_locks
from heisen_record import Record

_sleep, _now, _ident = time.sleep, time.monotonic_ns, _thread.get_ident
_MASK = (1 << 64) - 1

# Operations by module: class (or "" for the module), method, kind.
OPERATIONS = {
    "threading": [
        ("Thread", "start", "thread.start"), ("Thread", "join", "thread.join"),
        ("Condition", "wait", "condition.wait"), ("Condition", "notify", "condition.notify"),
        ("Event", "set", "event.set"), ("Event", "clear", "event.clear"), ("Event", "wait", "event.wait"),
        ("Event", "is_set", "event.is_set"),
        ("Semaphore", "acquire", "semaphore.acquire"), ("Semaphore", "release", "semaphore.release"),
        ("Barrier", "wait", "barrier.wait"),
    ],
    "queue": [("Queue", "put", "queue.put"), ("Queue", "get", "queue.get"), ("Queue", "task_done", "queue.done")],
    "concurrent.futures._base": [
        ("Future", "set_result", "future.set"), ("Future", "set_exception", "future.set"),
        ("Future", "result", "future.result"), ("Future", "cancel", "future.cancel"),
    ],
    "subprocess": [
        # Not __init__: the warnings it gives count the frames to the program's own line.
        ("Popen", "_execute_child", "process.start"), ("Popen", "wait", "process.wait"),
        ("Popen", "poll", "process.poll"), ("Popen", "send_signal", "process.signal"),
    ],
    "asyncio.events": [("Handle", "_run", "asyncio.callback")],
}


def mix(x):
    """The finaliser of SplitMix64: every bit of the result depends on every bit of x."""
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB & _MASK
    return x ^ (x >> 31)


def digest(text):
    """FNV-1a of 64 bits: unlike hash() it is the same in every process."""
    h = 0xCBF29CE484222325
    for b in text.encode("utf-8", "surrogateescape"):
        h = (h ^ b) * 0x100000001B3 & _MASK
    return h


class Hooks:
    """All state of one process's hooks."""

    def __init__(self, settings, here, first):
        self.seed = int(settings["seed"])
        self.rate = float(settings.get("rate", 0))
        self.shortest = float(settings.get("min", 0))
        self.longest = float(settings.get("max", 0))
        self.victims = float(settings.get("victims", 1))
        self.callback_longest = float(settings.get("callback_max", 0))
        self.budget = float(settings.get("budget", 0))
        self.burst, self.factor = float(settings.get("burst", 0)), float(settings.get("factor", 0))
        self.kinds = set(filter(None, settings.get("kinds", "").split(",")))
        self.points = int(settings.get("points", 0))
        self.decisions = int(settings.get("decisions", 0))
        self.record = Record(settings["record"])
        self.stacks, self.holding = None, {}
        self.replay = self.read_plan(settings.get("plan", ""))
        self.switch = float(settings.get("switch", 0))
        self.gc = settings.get("gc", "")
        self.skip = (here + os.sep, os.path.dirname(os.__file__) + os.sep)
        self.main, self.strangers = _ident(), 0
        self.paths = {self.main: self.process_path(first)}
        self.children, self.counts, self.digests, self.busy = {}, {}, {}, set()
        self.held, self.owed, self.until = 0.0, 0.0, 0.0

    @staticmethod
    def process_path(first):
        """The main thread's path. A process that another one executed is known by its arguments, without digits:
        what it is told of ports, processes and temporary folders differs from attempt to attempt."""
        if first:
            return "0"
        with open("/proc/self/cmdline", "rb") as f:
            words = f.read(4096).decode("utf-8", "surrogateescape")
        return "x%08x" % (digest("".join(c for c in words if not c.isdigit())) >> 32)

    def read_plan(self, path):
        """A plan pins decisions: thread, kind, site, n and nanoseconds, separated by tabs, and with the word stacks in the
        place of these where the stacks of all threads are to be taken."""
        if not path:
            return None
        plan = {}
        with open(path, encoding="utf-8", errors="surrogateescape") as f:
            for line in f:
                thread, kind, site, n, ns = line.rstrip("\n").split("\t")
                if ns == "stacks":
                    self.stacks = thread, kind, site, int(n)
                else:
                    plan[thread, kind, site, int(n)] = int(ns) / 1e9
        return plan

    def install(self):
        self.tell("begin", "%d.%d.%d" % sys.version_info[:3], os.getpid(), self.free_threaded())
        self.meet(self.main, self.path(self.main))
        if self.switch:
            sys.setswitchinterval(self.switch)
        if self.gc:
            import gc
            gc.set_threshold(*map(int, self.gc.split(",")))
        os.register_at_fork(before=self.forking, after_in_child=self.forked)
        self.patch_start()
        sys.meta_path.insert(0, Finder(self))
        for name in [m for m in OPERATIONS if m in sys.modules]:
            self.patch(sys.modules[name])

    @staticmethod
    def free_threaded():
        enabled = getattr(sys, "_is_gil_enabled", None)
        return "gil" if enabled is None or enabled() else "free-threaded"

    # -- telling ------------------------------------------------------------------------------------

    def tell(self, *fields):
        """Add one line to the record."""
        line = ("\t".join(str(f) for f in fields) + "\n").encode("utf-8", "surrogateescape")
        self.record.tell(line[:4096])

    def fault(self, e):
        """Tell of a fault of the hooks and draw nothing more."""
        self.rate, self.replay, self.points = 0.0, None, 0
        self.tell("fault", "%s: %s" % (type(e).__name__, str(e).replace("\t", " ").replace("\n", " ")[:300]))

    def forking(self):
        """Count the child where it will be remembered: in the parent."""
        self.unborn = self.child_of(_ident())

    def forked(self):
        """Go on in a forked child under a path of its own; only the thread that forked is there."""
        me = _ident()
        self.record.begin()
        self.paths, self.children, self.counts, self.busy = {}, {}, {}, set()
        self.meet(me, self.unborn)

    # -- addresses ----------------------------------------------------------------------------------

    def meet(self, ident, path):
        """Name the calling thread by the path of its creation."""
        self.paths[ident] = path
        self.tell("thread", _now(), path, os.getpid(), _thread.get_native_id())

    def path(self, ident):
        path = self.paths.get(ident)
        if path is None:  # made by C code, nobody knows by whom
            path = "?%d" % self.strangers
            self.strangers += 1
            self.meet(ident, path)
        return path

    def child_of(self, ident):
        path = self.path(ident)
        n = self.children[path] = self.children.get(path, 0) + 1
        return "%s.%d" % (path, n)

    def site(self):
        """The nearest line of the program itself: not of the standard library, not of these hooks."""
        frame = sys._getframe(3)
        for _ in range(12):
            if frame is None:
                break
            name = frame.f_code.co_filename
            # Tests of the standard library are programs too.
            if not name.startswith(self.skip) or os.sep + "test" + os.sep in name:
                return "%s:%d" % (name, frame.f_lineno)
            frame = frame.f_back
        return "-"

    # -- decisions ----------------------------------------------------------------------------------

    def at(self, kind):
        """Pass a point: count it, draw, and let time pass if the draw says so."""
        me = _ident()
        if me in self.busy:  # what the hooks themselves use is no point
            return
        self.busy.add(me)
        try:
            self.pass_point(me, kind)
        except Exception as e:  # a fault of the hooks must never become the test's
            if self.foreign(e):
                raise
            self.fault(e)
        finally:
            self.busy.discard(me)

    def foreign(self, e):
        """Whether an exception is the program's: a signal handler raised it while the hooks ran, or another thread did
        (PyThreadState_SetAsyncExc), with a type of the program's own."""
        tb = e.__traceback__
        while tb.tb_next is not None:
            tb = tb.tb_next
        return not tb.tb_frame.f_code.co_filename.startswith(self.skip[0]) or type(e).__module__ != "builtins"

    def pass_point(self, me, kind):
        thread, site = self.path(me), self.site()
        key = thread, kind, site
        n = self.counts[key] = self.counts.get(key, 0) + 1
        pause = self.draw(thread, kind, site, n)
        if self.points > 0:
            self.points -= 1
            self.tell("point", _now(), thread, kind, site, n)
        wanted = self.stacks is not None and self.stacks == (thread, kind, site, n)
        if pause is None:
            if wanted:
                self.take_stacks()
            return
        if self.decisions <= 0 or (self.replay is None and not self.spend(pause)):
            self.tell("skipped", thread, kind, site, n)
            return
        self.decisions -= 1
        began = _now()
        self.tell("made", began, thread, kind, site, n, int(pause * 1e9), self.name())
        self.holding[me] = True
        try:
            _sleep(pause)
            if wanted:
                self.take_stacks()
        finally:
            del self.holding[me]
        self.tell("held", _now() - began, thread)

    def spend(self, pause):
        """Take a pause from the budget of the attempt and of what is near in time (debt in the tracer); False if either has
        too little. Pauses that overlap lengthen no more than the longest."""
        now = _now() / 1e9
        owed = max(self.owed - self.factor * max(now - self.until, 0), 0)
        more = max(now + pause - max(now, self.until), 0)
        if self.held + pause > self.budget or (self.burst and owed and owed + more > self.burst):
            return False
        self.held += pause
        if more > 0:
            self.owed, self.until = owed + more, now + pause
        return True

    def take_stacks(self):
        """Tell where all threads are, once, if one of them is held: else the moment is another one."""
        if not self.holding:
            return
        self.stacks = None
        interval = None
        if hasattr(sys, "getswitchinterval"):  # nobody else is to go on meanwhile
            interval = sys.getswitchinterval()
            sys.setswitchinterval(1)
        try:
            lines = self.stack_lines()
        finally:
            if interval is not None:
                sys.setswitchinterval(interval)
        for line in lines:
            self.tell(*line)

    @staticmethod
    def target(thread):
        """What a thread was made for: before it gets there its stack does not say."""
        code = getattr(getattr(thread, "_target", None), "__code__", None)
        return "" if code is None else ", made to run %s at %s:%d" % (code.co_name, code.co_filename, code.co_firstlineno)

    def stack_lines(self, most=64, deepest=40):
        lines = []
        threads = self.threads()
        frames = sorted(sys._current_frames().items(), key=lambda item: (item[0] not in self.holding, item[0] != _ident()))
        for i, (ident, frame) in enumerate(frames[:most]):
            thread = threads.get(ident)
            name = self.clean(getattr(thread, "_name", "")) + self.clean(self.target(thread))
            lines.append(("stack", i, self.paths.get(ident, ""), int(ident in self.holding), name))
            told = 0
            while frame is not None and told < deepest:
                code = frame.f_code
                if not code.co_filename.startswith(self.skip[0]):
                    lines.append(("frame", i, code.co_name, "%s:%d" % (code.co_filename, frame.f_lineno)))
                    told += 1
                frame = frame.f_back
        return lines

    def draw(self, thread, kind, site, n):
        """Seconds to let pass at an address, None for nothing. 0 gives way: other threads may run."""
        if self.replay is not None:
            return self.replay.get((thread, kind, site, n))
        if self.kinds and kind not in self.kinds:
            return None
        base = self.digests.get((thread, kind, site))
        if base is None:
            base = self.digests[thread, kind, site] = digest("\t".join((thread, kind, site)))
        x = mix(self.seed ^ base ^ (n * 0x9E3779B97F4A7C15 & _MASK))
        rate = self.rate if self.victims >= 1 else self.rate / n
        if (x & 0xFFFFFFFF) >= rate * 4294967296.0 or not self.victim(thread):
            return None
        x = mix(x + 0x9E3779B97F4A7C15 & _MASK)
        if x & 3 == 0 and not self.shortest:
            return 0.0
        longest = self.callback_longest if kind.startswith("asyncio") else self.longest
        # Log-uniform from 20 microseconds: short and long pauses open different windows.
        shortest = min(self.shortest or 2e-5, longest)
        if longest <= 2e-5:
            return 0.0
        return shortest * (longest / shortest) ** ((x >> 11) / float(1 << 53))

    def victim(self, thread):
        """Whether the draw takes this thread for one that is paused."""
        return self.victims >= 1 or (mix(self.seed ^ digest(thread)) & 0xFFFFFFFF) < self.victims * 4294967296.0

    def name(self):
        return self.clean(getattr(self.threads().get(_ident()), "_name", ""))

    @staticmethod
    def clean(text):
        return str(text).replace("\t", " ").replace("\n", " ")

    @staticmethod
    def threads():
        """Thread objects by identifier. A thread that has just begun tells so before it is among the active ones."""
        threading = sys.modules.get("threading")
        known = {getattr(t, "_ident", None): t for t in list(getattr(threading, "_limbo", {}))}
        known.update(getattr(threading, "_active", {}))
        return known

    # -- patching -----------------------------------------------------------------------------------

    def patch_start(self):
        """Give every new thread its path, and a point before its first instruction."""
        for name in ("start_new_thread", "start_joinable_thread"):
            start = getattr(_thread, name, None)
            if start is not None:
                patched = self.starter(start)
                setattr(_thread, name, patched)
        if hasattr(_thread, "start_new"):
            _thread.start_new = _thread.start_new_thread

    def starter(self, start):
        def started(function, *args, **kwargs):
            if not callable(function):
                return start(function, *args, **kwargs)  # for its own error
            path = self.child_of(_ident())

            def run(*a, **k):
                self.meet(_ident(), path)
                self.at("thread.run")
                try:
                    return function(*a, **k)
                finally:
                    self.paths.pop(_ident(), None)
            return start(run, *args, **kwargs)
        started.__name__, started.__doc__ = start.__name__, start.__doc__
        return started

    def patch(self, module):
        try:
            self.patch_module(module)
        except Exception as e:
            self.fault(e)

    def patch_module(self, module):
        for owner, name, kind in OPERATIONS[module.__name__]:
            target = getattr(module, owner, None)
            function = getattr(target, "__dict__", {}).get(name)
            if callable(function):
                setattr(target, name, self.around(function, kind))
        if module.__name__ == "threading":
            # It has names of its own for these, and something in site-packages may have imported it before.
            for name in ("start_new_thread", "start_joinable_thread"):
                if hasattr(module, "_" + name):
                    setattr(module, "_" + name, getattr(_thread, name))
            replace_locks(self, module)

    def around(self, function, kind):
        enter, leave, at = kind + ".entry", kind + ".exit", self.at
        if kind == "asyncio.callback":  # a slow callback; the order of callbacks stays
            def wrapped(self, *args, **kwargs):
                at(enter)
                return function(self, *args, **kwargs)
        else:
            def wrapped(self, *args, **kwargs):
                at(enter)
                result = function(self, *args, **kwargs)
                at(leave)
                return result
        for attribute in ("__module__", "__name__", "__qualname__", "__doc__", "__dict__"):
            if attribute == "__dict__":
                wrapped.__dict__.update(function.__dict__)
            elif hasattr(function, attribute):
                setattr(wrapped, attribute, getattr(function, attribute))
        wrapped.__wrapped__ = function
        return wrapped


class Finder:
    """Patches a module of OPERATIONS when the program imports it: nothing is imported for the hooks' sake."""

    def __init__(self, hooks):
        self.hooks = hooks
        self.finding = set()

    def find_spec(self, name, path=None, target=None):
        if name not in OPERATIONS or name in self.finding:
            return None
        self.finding.add(name)
        try:
            for finder in sys.meta_path:
                find = getattr(finder, "find_spec", None)
                spec = find(name, path, target) if find is not None and finder is not self else None
                if spec is not None:
                    break
            else:
                return None
        finally:
            self.finding.discard(name)
        if hasattr(spec.loader, "exec_module"):
            spec.loader = Loader(spec.loader, self.hooks)
        return spec


class Loader:
    """Stands before a module's loader until the module is loaded, and then steps aside."""

    def __init__(self, inner, hooks):
        self.inner, self.hooks = inner, hooks

    def create_module(self, spec):
        return self.inner.create_module(spec)

    def exec_module(self, module):
        module.__spec__.loader = module.__loader__ = self.inner
        self.inner.exec_module(module)
        self.hooks.patch(module)

    def __getattr__(self, name):
        return getattr(self.inner, name)
