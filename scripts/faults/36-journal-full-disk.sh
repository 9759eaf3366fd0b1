#!/usr/bin/env bash
# Fault 36: the disk fills up in the middle of a record. The writer is refused, the journal stays whole, and
# goes on when there is space. Negative control: with space nothing is refused.
source "$(dirname "$0")/disk.sh"
memory_disk size=64k

"$writer" write "$mnt/control" 10 >"$work/acked" || fail "control: refused although there is space"
rm -r "$mnt/control"

head -c 36k /dev/zero >"$mnt/ballast"
status=0
"$writer" write "$mnt/journal" 2000 >"$work/acked" 2>"$work/errors" || status=$?
[ "$status" = 1 ] || fail "exit code $status: $(tail -n 1 "$work/errors")"
grep -q 'no space left for the journal.*free some space' "$work/errors" || fail "no word of what to do"
! grep -q 'the journal has failed' "$work/errors" || fail "the journal gave up on a full disk"
rm "$mnt/ballast"
"$writer" verify "$mnt/journal" "$work/acked" || fail "something that was acknowledged is lost"
[ -z "$(find "$mnt/journal" -name 'torn-*')" ] || fail "the half-written record was left for recovery"
"$writer" write "$mnt/journal" 10 >"$work/acked" || fail "refused although there is space again"
echo "a full disk costs nothing that was acknowledged, and can be waited out"
