#!/usr/bin/env bash
# Out of descriptors: heisen backs off, loses no attempt, and names the machine, not the test.
source "$(dirname "$0")/lib.sh"
need prlimit python3

# The control: without the limit nothing is said of descriptors.
heisen hunt -j 50 --runs 100 -- sleep 0.1 >"$work/log" 2>&1 || fail "the control ended with $?: $(cat "$work/log")"
! grep -qi 'descriptor' "$work/log" || fail "descriptors are named without a shortage: $(cat "$work/log")"

code=0
prlimit --nofile=64 "$HEISEN_BIN" hunt -j 200 --runs 400 --no-ramp -- sleep 0.1 >"$work/log" 2>&1 || code=$?
tail -n 5 "$work/log"
((code == 0)) || fail "exit code $code, expected 0: a shortage is not a failure"
expect_shown total 400
expect_shown pass 400
expect_shown fail 0
expect_shown harness_error 0
grep -qi 'descriptor' "$work/log" || fail "the shortage of descriptors was not named"
expect_nothing_left
