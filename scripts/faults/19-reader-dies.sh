#!/usr/bin/env bash
# The reader of heisen's output dies: the campaign and its journal finish, and the exit code is one of
# heisen's own, not a death by SIGPIPE.
source "$(dirname "$0")/lib.sh"
need python3 setsid

# heisen | head -1: the pipe breaks while attempts run.
codes=0
{ heisen hunt -j 4 --runs 200 -- sleep 0.02 2>&1 && echo 0 >"$work/code" || echo $? >"$work/code"; } |
	head -n 1 >/dev/null || codes=$?
case $(cat "$work/code") in
0 | 1) ;;
*) fail "with | head -1 heisen ended with $(cat "$work/code"), expected 0 or 1 (141 is SIGPIPE)" ;;
esac
expect_shown total 200
expect_nothing_left
# The control: a program that does nothing about it dies of SIGPIPE.
{ yes || echo $? >"$work/control"; } 2>/dev/null | head -n 1 >/dev/null || true
[[ $(cat "$work/control") == 141 ]] || fail "control: yes ended with $(cat "$work/control"), expected 141"

# heisen | tee log and Ctrl-C: the whole group gets SIGINT, tee dies of it, heisen finishes its journal.
# A shell without job control starts background commands with SIGINT ignored: env puts that right.
export HEISEN_DIR=$work/interrupted # so that the campaign asked about is this one
setsid env --default-signal=INT bash -c '
	trap : INT
	"$HEISEN_BIN" hunt -j 4 -- sleep 0.1 2>&1 | tee "$HEISEN_FAULT/log" >/dev/null
	echo "${PIPESTATUS[0]}" >"$HEISEN_FAULT/code"' &
group=$!
rm -f "$work/code"
wait_for 60 attempts_made 5
kill -INT -- -"$group"
wait_for 60 test -s "$work/code"
[[ $(cat "$work/code") == 130 ]] || fail "with | tee and Ctrl-C heisen ended with $(cat "$work/code"), expected 130"
expect_nothing_left
made=$(shown total)
passed=$(shown pass)
((passed >= 5)) || fail "only $passed passes were kept of $made attempts"
