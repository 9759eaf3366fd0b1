#!/usr/bin/env bash
# Fault 35: the third fdatasync(2) of a journal fails. It must not be tried again, every later append must be
# refused, and what was acknowledged must be readable. Negative control: without the fault nothing is refused.
# Exit: 0 pass, 1 fail, 77 skipped.
set -euo pipefail
cd "$(dirname "$0")/../.."

skip() { echo "skipped: $1"; exit 77; }
command -v strace >/dev/null || skip "strace is not installed"
command -v go >/dev/null || skip "go is not installed"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
go build -o "$work/journalwriter" ./scripts/faults/journalwriter
strace -f -qq -o /dev/null true 2>"$work/errors" || skip "strace may not trace here: $(tail -n 1 "$work/errors")"

fail() { echo "FAIL $1"; exit 1; }

"$work/journalwriter" write "$work/control" 10 >"$work/acked" || fail "control: refused without a fault"
[ "$(wc -l <"$work/acked")" = 10 ] || fail "control: not all were acknowledged"

# The journal is made first, so that the syncs that are counted are those of batches.
"$work/journalwriter" write "$work/journal" 0
status=0
strace -f -qq -o "$work/trace" -e trace=fdatasync -e inject=fdatasync:error=EIO:when=3 \
	"$work/journalwriter" write "$work/journal" 10 >"$work/acked" 2>"$work/errors" || status=$?
[ "$status" = 1 ] || fail "exit code $status: $(cat "$work/errors")"

# strace counts the calls of each thread for itself, and the journal's goroutine may change threads: so what was
# acknowledged is set against the calls that succeeded, of which opening made one.
good=$(grep -cE 'fdatasync(\(| resumed).*= 0$' "$work/trace") || true
grep 'fdatasync(\|fdatasync resumed' "$work/trace" | tail -n 1 | grep -q INJECTED || fail "fdatasync was called again after it had failed"
[ "$(wc -l <"$work/acked")" = "$((good - 1))" ] || fail "acknowledged after $good syncs: $(tr '\n' ' ' <"$work/acked")"
[ "$(grep -c 'the journal has failed' "$work/errors")" -ge "$((10 - good))" ] || fail "not every later append was refused"
"$work/journalwriter" verify "$work/journal" "$work/acked" || fail "what was acknowledged is not readable"
echo "a failed fdatasync is final, and costs nothing that was acknowledged"
