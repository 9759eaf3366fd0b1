#!/usr/bin/env bash
# Fault 24: a test writes 10 GB (HEISEN_FLOOD: another size for head -c). Head, tail and count are kept, memory and
# disk stay flat. Negative control: with everything kept of a smaller flood, memory is not.
source "$(dirname "$0")/lib.sh"
source "$faults/flood.sh"
need python3
flood=${HEISEN_FLOOD:-10G}

hunt_measured "$work/peak" -- sh -c "echo first; yes 0123456 | head -c $flood; echo last" >"$work/log" 2>&1 || fail "$(cat "$work/log")"
expect_shown pass 1
expect_flat "$work/peak"
heisen show last --json | python3 -c 'import json, sys
report = json.load(sys.stdin)
print((report.get("kept_passes") or [v["exemplar"] for v in report["variants"]])[0])' >"$work/bundle"
heisen show "$(cat "$work/bundle")" >"$work/shown"
grep -q first "$work/shown" || fail "the head is not kept"
grep -q last "$work/shown" || fail "the tail is not kept"

rm -r "$HEISEN_DIR"
hunt_measured "$work/peak" --keep-output 400M -- sh -c "yes 0123456 | head -c 150M" >"$work/log" 2>&1 || fail "$(cat "$work/log")"
expect_shown pass 1
expect_not_flat "$work/peak"
expect_nothing_left
