"""A test that starts a thread and takes for granted that it has run 1 ms later. Nothing in it is marked."""
import _thread
import os
import sys
import time

running = []
_thread.start_new_thread(running.append, (True,))
time.sleep(0.001)
if not running:
    sys.stderr.write("AssertionError: worker is not running\n")
    sys.stderr.flush()
    os._exit(1)
os._exit(0)
