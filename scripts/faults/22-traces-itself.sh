#!/usr/bin/env bash
# A test that asks to be traced itself cannot be held: it passes as it does alone, and that it ran plain is said.
source "$(dirname "$0")/lib.sh"
need python3

cat >"$work/test.py" <<'TEST'
import ctypes, sys
sys.exit(ctypes.CDLL(None).ptrace(0, 0, 0, 0) != 0)  # PTRACE_TRACEME
TEST

code=0
heisen hunt -j 2 --runs 40 --seed 5 --chaos hold -- python3 "$work/test.py" >"$work/out" 2>&1 || code=$?
grep -q 'no thread can be held' "$work/out" && skip "ptrace is not allowed here"
expect_shown fail 0
expect_shown pass 40
((code == 0)) || fail "the hunt ended with $code: $(tail -n 20 "$work/out")"
grep -q 'cannot be held and ran plain\|no more attempts of this campaign are held' "$work/out" || fail "it was not said: $(tail -n 20 "$work/out")"
expect_nothing_left
