# Sourced by the scripts that put a journal on a disk of its own: lib.sh, the writer in $writer, and the mount
# point $mnt, which is unmounted at the end.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

((EUID == 0)) || skip "mounting needs root"
need go
mnt=$work/mnt
writer=$work/journalwriter
mkdir "$mnt"
undo() { umount "$mnt" 2>/dev/null || true; }
(cd "$faults/../.." && go build -o "$writer" ./scripts/faults/journalwriter)

# memory_disk OPTIONS mounts a small file system in memory.
memory_disk() {
	mount -t tmpfs -o "$1" heisen-test "$mnt" 2>"$work/errors" || skip "cannot mount a tmpfs: $(cat "$work/errors")"
}
