"""A flaky test of the shape of CPython's bpo-37224, which tells heisen what it does.

The main thread lists what there is, starts a thread that shall be running, and lists again. It takes for
granted that the thread has run by then. On an idle machine it has.
"""

import os
import sys
import time
import _thread

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "clients", "python"))

from heisen_events import mark  # noqa: E402

running = []
ended = _thread.allocate_lock()
ended.acquire()


def run():
    mark("run")
    running.append("interpreter")
    ended.release()


def list_all():
    mark("list_all")
    return list(running)


def main():
    mark("create")
    before = list_all()
    _thread.start_new_thread(run, ())
    time.sleep(0.001)
    after = list_all()
    ended.acquire()
    if after == before:
        print("FAIL: test_still_running: AssertionError: the interpreter is not running", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
