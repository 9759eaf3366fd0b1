"""A program with marks: storm PROCESS, hard, time N."""
import os
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "python"))
sys.dont_write_bytecode = True

from heisen_events import mark  # noqa: E402

THREADS, EACH = 8, 25


def storm(process, thread):
    for i in range(EACH):
        mark("mark", process, thread, i)


if sys.argv[1] == "storm":
    threads = [threading.Thread(target=storm, args=(sys.argv[2], t)) for t in range(THREADS)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
elif sys.argv[1] == "hard":
    mark("hard", "a b", "", "100%", "%41")
    mark("hard", "x\ny\t\x01\x7f", "@1:2:3 fake", "größe 日本")
    mark("hard", "'\"\\$(true)`*")
    mark("hard")
    mark("long", "%" * (3 * 4096), "never")
else:
    for _ in range(int(sys.argv[2])):
        mark("lock.acquired", "worker-7", 42)
