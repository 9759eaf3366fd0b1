#!/usr/bin/env bash
# Fault 37: no inodes left, and a read-only file system. Both are named, nothing that was acknowledged is
# lost, and a read-only journal can still be read. Negative control: the same steps on a sound disk succeed.
source "$(dirname "$0")/disk.sh"
memory_disk size=1m,nr_inodes=50

"$writer" write "$mnt/journal" 100 >"$work/acked" || fail "control: refused on a sound disk"
sealed() { find "$mnt/journal" -name '*.zst' | wc -l; }
before=$(sealed)
[ "$before" -gt 1 ] || fail "control: no segment was sealed"

# Every inode is taken: segments cannot be sealed nor begun, so the present one grows on.
n=0
while : 2>/dev/null >"$mnt/ballast$n"; do n=$((n + 1)); done
"$writer" write "$mnt/journal" 100 >"$work/more" 2>"$work/errors" || fail "no inodes: $(cat "$work/errors")"
[ "$(wc -l <"$work/more")" = 100 ] || fail "no inodes: not all were acknowledged"
[ "$(sealed)" = "$before" ] || fail "no inodes: the fault was not there"
status=0
"$writer" write "$mnt/another" 1 2>"$work/errors" || status=$?
[ "$status" = 3 ] || fail "no inodes: a new journal was made"
grep -q 'inodes' "$work/errors" || fail "no inodes: not named: $(cat "$work/errors")"
rm "$mnt"/ballast*

mount -o remount,ro "$mnt"
status=0
"$writer" write "$mnt/journal" 1 2>"$work/errors" || status=$?
[ "$status" = 3 ] || fail "read-only: exit code $status"
grep -q 'mount the file system for writing' "$work/errors" || fail "read-only: not named: $(cat "$work/errors")"
mount -o remount,rw "$mnt"
"$writer" write "$mnt/journal" 1 >/dev/null || fail "not usable after the file system is writable again"
echo "no inodes and read-only are named, and cost nothing that was acknowledged"
