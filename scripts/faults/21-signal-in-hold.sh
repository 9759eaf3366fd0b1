#!/usr/bin/env bash
# Signals arrive while threads are held: each is delivered once, none is lost, and holds were really made.
source "$(dirname "$0")/lib.sh"
need python3

cat >"$work/test.py" <<'TEST'
import signal, sys, threading, time
got = []
signal.signal(signal.SIGALRM, lambda *_: got.append(1))
done = threading.Event()
threads = [threading.Thread(target=lambda: [time.sleep(0.001) for _ in range(20)]) for _ in range(3)]
for t in threads: t.start()
signal.setitimer(signal.ITIMER_REAL, 0.005)
while not got: time.sleep(0.001)
for t in threads: t.join()
time.sleep(0.02)
sys.exit(len(got) != 1)
TEST

code=0
heisen hunt -j 4 --runs 60 --seed 5 --chaos hold -- python3 "$work/test.py" >"$work/out" 2>&1 || code=$?
grep -q 'no thread can be held' "$work/out" && skip "ptrace is not allowed here"
made=$(heisen show last --json | python3 -c 'import json, sys
print(sum(s.get("holds", {}).get("made", 0) for s in json.load(sys.stdin)["chaos"]["strategies"]))')
((made > 0)) || fail "no hold was made: $(tail -n 20 "$work/out")"
((code == 0)) || fail "the hunt ended with $code: $(tail -n 20 "$work/out")"
expect_shown pass 60
expect_nothing_left
