# Sourced by the scripts that flood heisen with output, after lib.sh.

flat_memory=100000 # KiB, the most one process of heisen's, or the test's, may take
flat_disk=4096     # KiB, the most a campaign may take on disk

# hunt_measured PEAK ARGUMENTS... hunts once and writes the most memory one process took, in KiB, to the file.
hunt_measured() {
	python3 -c 'import resource, subprocess, sys
code = subprocess.call(sys.argv[2:])
open(sys.argv[1], "w").write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(code)' "$1" "$HEISEN_BIN" hunt --runs 1 -j 1 --timeout 170s "${@:2}"
}

disk_used() { du -sk "$HEISEN_DIR" | cut -f 1; }

# expect_flat PEAK holds the hunt to what is flat, whatever the size of the flood.
expect_flat() {
	local peak used
	peak=$(<"$1") used=$(disk_used)
	echo "memory $peak KiB, disk $used KiB"
	((peak < flat_memory)) || fail "a process took $peak KiB of memory"
	((used < flat_disk)) || fail "the campaign takes $used KiB on disk"
}

# expect_not_flat PEAK is for a control that keeps the whole output.
expect_not_flat() {
	local peak
	peak=$(<"$1")
	echo "control, everything kept: memory $peak KiB, disk $(disk_used) KiB"
	((peak > flat_memory)) || fail "control: memory is flat although everything is kept"
}
