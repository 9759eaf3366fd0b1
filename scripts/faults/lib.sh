# Sourced by every fault script: heisen, a folder of its own, and nothing left behind. See README.md here.
set -euo pipefail

faults=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d -t heisen-fault-XXXXXX)
chmod 755 "$work"
export HEISEN_FAULT=$work
export HEISEN_DIR=$work/campaigns
trap clean_up EXIT

# left lists what was started under this script and still runs, by the mark in its environment. A zombie
# has no environment any more and does not count; grep is given another mark so as not to find itself.
left() {
	local file
	for file in $(HEISEN_FAULT='' grep -lsazxF -- "HEISEN_FAULT=$work" /proc/[0-9]*/environ || true); do
		file=${file#/proc/}
		echo "${file%/environ}"
	done
}

# kill_left ends, by number, what still runs.
kill_left() {
	local round pids
	for round in 1 2 3 4 5; do
		pids=$(left)
		[[ -n $pids ]] || return 0
		kill -KILL $pids 2>/dev/null || true
		sleep 0.1
	done
}

undo() { :; } # what a script must undo before its folder goes; it may define its own

clean_up() {
	local code=$?
	kill_left
	undo
	rm -rf "$work"
	exit "$code"
}

# fail says, in the last line, what was expected and what came.
fail() {
	echo "FAIL: $*"
	exit 1
}

skip() {
	echo "$*"
	exit 77
}

need() {
	local command
	for command in "$@"; do
		command -v "$command" >/dev/null || skip "$command is not installed"
	done
}

if [[ -z ${HEISEN_BIN:-} ]]; then
	HEISEN_BIN=$work/heisen
	(cd "$faults/../.." && CGO_ENABLED=0 go build -o "$HEISEN_BIN" ./cmd/heisen)
fi
export HEISEN_BIN

heisen() { "$HEISEN_BIN" "$@"; }

# shown NAME prints attempts.NAME of the newest campaign, or nothing while there is none.
shown() {
	{ heisen show last --json 2>/dev/null || true; } |
		python3 -c 'import json, sys
try: print(json.load(sys.stdin)["attempts"].get(sys.argv[1], 0))
except ValueError: pass' "$1"
}

# expect_shown NAME NUMBER holds the newest campaign to a count.
expect_shown() {
	local got
	got=$(shown "$1")
	[[ $got == "$2" ]] || fail "attempts.$1 is ${got:-unknown}, expected $2"
}

# wait_for SECONDS COMMAND... waits until the command succeeds; the limit is generous on purpose.
wait_for() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		((SECONDS < end)) || fail "waited in vain for: $*"
		sleep 0.05
	done
}

attempts_made() { (($(shown total || echo 0) + 0 >= $1)); }

nothing_left() { [[ -z $(left) ]]; }

# expect_nothing_left gives the kernel a moment to bury what was killed.
expect_nothing_left() { wait_for 10 nothing_left; }
