"""Runs a command in a terminal of its own, as a shell with job control does, under a storm of Ctrl-Z.

usage: ctrl-z-storm.py COMMAND [ARGUMENT...]

The command gets a process group with a parent in its session (in an orphaned group the kernel throws
SIGTSTP away). For three seconds the group gets SIGTSTP every 300 microseconds; whenever the command
stops, it is put in the foreground again. Ends with the command's exit code, 128 + N for a signal, and
says how often it stopped.
"""

import os
import pty
import signal
import sys
import threading
import time

STORM_SECONDS = 3
PERIOD = 0.0003


def start(argv):
    """Forks the command into a foreground group of its own and returns its pid."""
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # tcsetpgrp from a background group
    pid = os.fork()
    if pid == 0:
        os.setpgid(0, 0)
        os.tcsetpgrp(0, os.getpid())
        signal.signal(signal.SIGTTOU, signal.SIG_DFL)
        os.execv(argv[0], argv)
    try:
        os.setpgid(pid, pid)
    except PermissionError:
        pass  # it has executed already, and done this itself
    return pid


def storm(group):
    """Sends the signals; the group is there until the shell has reaped its leader."""
    time.sleep(0.3)  # let it begin
    end = time.monotonic() + STORM_SECONDS
    while time.monotonic() < end:
        try:
            os.killpg(group, signal.SIGTSTP)
        except ProcessLookupError:
            return
        time.sleep(PERIOD)


def shell(argv):
    """Waits for the command and resumes it whenever it stops."""
    pid = start(argv)
    threading.Thread(target=storm, args=(pid,), daemon=True).start()
    stops = 0
    while True:
        _, status = os.waitpid(pid, os.WUNTRACED)
        if not os.WIFSTOPPED(status):
            break
        stops += 1
        os.tcsetpgrp(0, pid)
        os.killpg(pid, signal.SIGCONT)
    print(f"\nstorm: stopped {stops} times", flush=True)
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else 128 - code)


def main():
    pid, terminal = pty.fork()
    if pid == 0:
        shell(sys.argv[1:])
    while True:
        try:
            data = os.read(terminal, 65536)
        except OSError:  # EIO: the last process has let go of the terminal
            break
        if not data:
            break
        os.write(1, data)
    _, status = os.waitpid(pid, 0)
    sys.exit(os.waitstatus_to_exitcode(status))


main()
