#!/usr/bin/env bash
# The tracer is killed with the test in its hands: the attempt is heisen's fault and tried again, the test dies
# with its tracer, and nothing is counted as the test's.
source "$(dirname "$0")/lib.sh"
need python3 tr

cat >"$work/test.sh" <<'TEST'
# Kills its parent, if that is a tracer and only the first three times.
if tr '\0' ' ' <"/proc/$PPID/cmdline" | grep -q ' __trace ' && mkdir "$HEISEN_FAULT/kill.$(ls -d "$HEISEN_FAULT"/kill.* 2>/dev/null | wc -l)" 2>/dev/null &&
	[ "$(ls -d "$HEISEN_FAULT"/kill.* | wc -l)" -le 3 ]; then
	kill -KILL "$PPID"
	sleep 60
	exit 1
fi
TEST

code=0
heisen hunt -j 2 --runs 40 --seed 5 --chaos hold -- sh "$work/test.sh" >"$work/out" 2>&1 || code=$?
grep -q 'no thread can be held' "$work/out" && skip "ptrace is not allowed here"
ls -d "$work"/kill.* >/dev/null 2>&1 || fail "no tracer was killed: $(tail -n 20 "$work/out")"
expect_shown fail 0
expect_shown crash 0
expect_shown timeout 0
expect_shown total 40
grep -q 'not counted: the attempt ran again' "$work/out" || fail "no try was said not to count: $(tail -n 20 "$work/out")"
((code == 0)) || fail "the hunt ended with $code: $(tail -n 20 "$work/out")"
expect_nothing_left
