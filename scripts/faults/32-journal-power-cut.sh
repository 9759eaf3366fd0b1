#!/usr/bin/env bash
# Fault 32: the power is cut at each failpoint of the journal. What was acknowledged must be there after the
# next mount. Negative control: with fdatasync(2) left out (strace makes it do nothing) the same cut loses
# acknowledged records, so the check can see a loss.
source "$(dirname "$0")/disk.sh"
need mkfs.ext4

truncate -s 32M "$work/disk"
fresh() { mkfs.ext4 -q -F "$work/disk" && mount -o loop "$work/disk" "$mnt"; }
fresh 2>"$work/mount.err" || skip "cannot mount ext4 from a loop device: $(tail -n 1 "$work/mount.err")"
umount "$mnt"

failed=0
# A round cuts the power at the given hit of a failpoint, mounts again and verifies; what verify says is its
# result. Everything after "--" goes before the writer (strace for the control).
round() {
	local point=$1 hit=$2
	shift 2
	fresh
	local status=0
	"$@" "$writer" -cut "$mnt" -at "$point" -hit "$hit" write "$mnt/journal" 100 \
		>"$work/acked" 2>"$work/errors" || status=$?
	# 9 is the writer's word that it has cut the power; anything else means that the point was not met.
	[ "$status" = 9 ] || echo "exit code $status instead of a power cut" >>"$work/errors"
	# strace and the kernel's loop device let go of the mount a moment later.
	for _ in $(seq 100); do umount "$mnt" 2>/dev/null && break; sleep 0.1; done
	mount -o loop "$work/disk" "$mnt"
	local result=0
	"$writer" verify "$mnt/journal" "$work/acked" >"$work/verdict" 2>&1 || result=$?
	umount "$mnt"
	[ "$status" = 9 ] || result=4
	return $result
}

rounds=0
for point in $("$writer" points); do
	case $point in
	journal.truncate | journal.recover.*) continue ;; # met only after another fault
	esac
	for hit in 1 3; do
		if round "$point" "$hit"; then
			rounds=$((rounds + 1))
		else
			echo "FAIL $point hit $hit: $(tail -n 3 "$work/verdict" "$work/errors")"
			failed=1
		fi
	done
done
echo "power cut in $rounds places: nothing that was acknowledged is lost"

if command -v strace >/dev/null; then
	result=0
	round journal.synced 20 strace -f -qq -o /dev/null -e trace=fdatasync -e inject=fdatasync:retval=0 || result=$?
	if [ "$result" = 1 ] && grep -q missing "$work/verdict"; then
		echo "negative control, fdatasync left out: $(cat "$work/verdict")"
	else
		echo "FAIL negative control: without fdatasync nothing was lost: $(tail -n 3 "$work/verdict" "$work/errors")"
		failed=1
	fi
else
	echo "negative control not run: strace is not installed"
fi
exit $failed
