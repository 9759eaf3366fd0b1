#!/usr/bin/env bash
# kill -9 at random moments, of everything or of heisen alone, then --resume last: 20 rounds. In the end
# exactly the attempts asked for are counted, each was really made, and nothing runs.
source "$(dirname "$0")/lib.sh"
need python3 setsid

runs=1500
rounds=20
RANDOM=31 # the same moments each time, as far as the machine goes along

cat >"$work/attempt" <<'SH'
#!/bin/sh
echo "$HEISEN_ATTEMPT" >>"$HEISEN_FAULT/made"
exec sleep 0.05
SH
chmod +x "$work/attempt"

# go_on starts the campaign, or goes on with it, in the background.
go_on() {
	if [[ -n $(shown total) ]]; then
		setsid "$HEISEN_BIN" hunt --resume last >"$work/log" 2>&1 &
	else
		setsid "$HEISEN_BIN" hunt -j 8 --runs "$runs" -- "$work/attempt" >"$work/log" 2>&1 &
	fi
}

# own lists heisen's own processes among those that run.
own() {
	local pid
	for pid in $(left); do
		[[ $(readlink "/proc/$pid/exe") != "$HEISEN_BIN" ]] || echo "$pid"
	done
}

kills=0
for ((round = 1; round <= rounds; round++)); do
	go_on
	sleep "0.$((RANDOM % 40 + 5))"
	if ((round % 2)); then victims=$(left); else victims=$(own); fi
	if [[ -n $victims ]]; then
		kills=$((kills + 1))
		kill -KILL $victims 2>/dev/null || true
	fi
	wait
done
((kills >= rounds / 2)) || fail "only $kills of $rounds rounds met a running heisen: raise runs in this script"

go_on
code=0
wait $! || code=$?
((code == 0)) || fail "the last resume ended with $code: $(tail -n 5 "$work/log")"
expect_shown total "$runs"
expect_shown pass "$runs"
expect_nothing_left
[[ $(sort -un "$work/made" | wc -l) == "$runs" ]] ||
	fail "$(sort -un "$work/made" | wc -l) different attempts were made, $runs are counted"
(($(wc -l <"$work/made") > runs)) || echo "note: no attempt was in flight at any kill"
