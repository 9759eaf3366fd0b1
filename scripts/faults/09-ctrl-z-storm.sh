#!/usr/bin/env bash
# A storm of Ctrl-Z: SIGTSTP to heisen's group every 300 µs, while a shell with job control puts it in the
# foreground again at once. No wedge: all attempts are made and pass, and the shell has seen it stop often.
source "$(dirname "$0")/lib.sh"
need python3

runs=1000
code=0
timeout 120 python3 "$faults/ctrl-z-storm.py" "$HEISEN_BIN" hunt -j 8 --runs "$runs" -- sleep 0.02 >"$work/log" 2>&1 || code=$?
tail -n 20 "$work/log"
((code != 124)) || fail "it wedged: no end within 120 s"
((code == 0)) || fail "exit code $code, expected 0"
stops=$(sed -n 's/^storm: stopped \([0-9]*\) times.*/\1/p' "$work/log")
((${stops:-0} >= 10)) || fail "the storm stopped heisen ${stops:-0} times only"
expect_shown total "$runs"
expect_shown pass "$runs"
expect_nothing_left
