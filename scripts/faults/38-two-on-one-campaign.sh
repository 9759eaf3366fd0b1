#!/usr/bin/env bash
# Two on one campaign: the second refuses in one line and changes nothing; after the first has ended, a
# resume is possible again.
source "$(dirname "$0")/lib.sh"
need python3

runs=400 # 20 seconds: the second may wait a little for the lock before it refuses

"$HEISEN_BIN" hunt -j 4 --runs "$runs" -- sleep 0.2 >"$work/first" 2>&1 &
first=$!
wait_for 60 attempts_made 1

code=0
heisen hunt --resume last >"$work/second" 2>&1 || code=$?
kill -0 "$first" 2>/dev/null || fail "the first had ended before the second was tried"
((code == 1)) || fail "the second ended with $code, expected 1: $(cat "$work/second")"
(($(grep -c . "$work/second") == 1)) || fail "the second said more, or less, than one line: $(cat "$work/second")"

wait "$first" || fail "the first ended with $?: $(tail -n 5 "$work/first")"
expect_shown total "$runs"
expect_shown pass "$runs"

# The control: the lock goes with its owner, so that now a resume goes on.
code=0
heisen hunt --resume last --runs $((runs + 10)) >"$work/third" 2>&1 || code=$?
((code == 0)) || fail "a resume after the end ended with $code: $(cat "$work/third")"
expect_shown total $((runs + 10))
expect_nothing_left
