"""Uses every operation that the hooks know, from several threads, and checks that each did its work."""
import _thread
import concurrent.futures
import os
import queue
import subprocess
import sys
import threading

lock, rlock = threading.Lock(), threading.RLock()


def called(kind):
    """What calling a type does, in words."""
    try:
        return type(kind()).__name__
    except TypeError as e:
        return str(e)


real = _thread.allocate_lock()
assert "%s.%s" % (type(lock).__module__, type(lock).__name__) == "%s.%s" % (type(real).__module__, type(real).__name__)
assert called(type(lock)) == called(type(real)) and called(type(rlock)) == type(rlock).__name__
total = 0


def add(n):
    global total
    for _ in range(n):
        with lock:
            with rlock:
                total += 1


threads = [threading.Thread(target=add, args=(20,), name="adder-%d" % i) for i in range(4)]
for t in threads:
    t.start()
for t in threads:
    t.join()
assert total == 80, total
assert not lock.locked() and lock.acquire(False) and not lock.acquire(False)
lock.release()

condition, items = threading.Condition(threading.Lock()), []
taken = []


def take():
    with condition:
        while not items:
            condition.wait()
        taken.append(items.pop())


taker = threading.Thread(target=take)
taker.start()
with condition:
    items.append("x")
    condition.notify()
taker.join()
assert taken == ["x"]

event = threading.Event()
threading.Thread(target=event.set).start()
assert event.wait(60) and event.is_set()
event.clear()

places = threading.Semaphore(2)
with places, places:
    assert not places.acquire(blocking=False)

barrier, passed = threading.Barrier(3), []
for t in [threading.Thread(target=lambda: passed.append(barrier.wait())) for _ in range(3)]:
    t.start()
for t in threading.enumerate():
    if t is not threading.current_thread():
        t.join()
assert sorted(passed) == [0, 1, 2]

q = queue.Queue()
worker = threading.Thread(target=lambda: [q.get() is None and q.task_done()])
worker.start()
q.put(None)
q.join()
worker.join()

with concurrent.futures.ThreadPoolExecutor(2) as pool:
    assert list(pool.map(lambda n: n * n, range(5))) == [0, 1, 4, 9, 16]

child = subprocess.Popen([sys.executable, "-c", "import threading; threading.Event().set()"])
assert child.wait() == 0

pid = os.fork()
if pid == 0:
    with lock:
        os._exit(7)
assert os.waitpid(pid, 0)[1] >> 8 == 7

if sys.version_info >= (3, 7):
    import asyncio

    order = []

    async def main():
        loop = asyncio.get_running_loop()
        for n in range(5):
            loop.call_soon(order.append, n)
        await asyncio.sleep(0)

    asyncio.run(main())
    assert order == [0, 1, 2, 3, 4], order
print("all right")
