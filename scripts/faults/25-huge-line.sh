#!/usr/bin/env bash
# Fault 25: one line of 300 MB (HEISEN_FLOOD: another size for head -c). No deadlock, memory and disk flat. Negative
# control: a reader of lines with a bounded buffer gives up, and the test hangs in its write.
source "$(dirname "$0")/lib.sh"
source "$faults/flood.sh"
need python3 pgrep
line="head -c ${HEISEN_FLOOD:-300M} /dev/zero | tr '\0' x"

hunt_measured "$work/peak" -- sh -c "$line" >"$work/log" 2>&1 || fail "$(cat "$work/log")"
expect_shown pass 1
expect_shown timeout 0
expect_flat "$work/peak"

mkfifo "$work/pipe"
sh -c "$line" >"$work/pipe" &
writer=$!
exec 3<"$work/pipe"
head -c 65536 <&3 >/dev/null # as much as there is room for; then nobody reads on
in_write() { [[ $(cat /proc/"$(pgrep -P "$writer" -x tr)"/wchan) == *pipe_write* ]]; }
wait_for 60 in_write
sleep 1
in_write || fail "control: the test went on although nobody reads"
echo "control: a reader of lines leaves the test in its write"
kill_left
expect_nothing_left
