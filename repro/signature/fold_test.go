package signature

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestFold(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"address", "<Lane object at 0x7f1c2a9b40>", "<Lane object at <addr>>"},
		{"small constants in hex stay", "flags 0x1f", "flags 0x1f"},
		{"uuid", "job 123e4567-e89b-12d3-a456-426614174000 lost", "job <uuid> lost"},
		{"date and time", "at 2026-03-01T10:00:00.123Z: lost", "at <time>: lost"},
		{"date and time with zone", "at 2026-11-21 23:04:13.588992688 +0000 UTC m=+0.000752507", "at <time>"},
		{"ctime", "since Sat Nov 21 23:03:50 2026 idle", "since <time> idle"},
		{"clock", "[23:04:59.120] idle", "[<time>] idle"},
		{"duration of go", "timed out after 1m30.5s", "timed out after <time>"},
		{"duration in words", "waited 3.5 seconds", "waited <time>"},
		{"percent", "stuck at 57%", "stuck at <n>%"},
		{"loopback port", "dial tcp 127.0.0.1:41873: connection refused", "dial tcp 127.0.0.1:<port>: connection refused"},
		{"port of a name", "http://localhost:8080/lanes", "http://localhost:<port>/lanes"},
		{"python's address pair", "('127.0.0.1', 41873) in use", "('127.0.0.1', <port>) in use"},
		{"foreign address", "no route to 203.0.113.7", "no route to <ip>"},
		{"temp file at the root", "open /tmp/lock.24359: denied", "open <tmp>: denied"},
		{"file in a temp folder", "'/tmp/tmps0zav5t1/ledger.db'", "'<tmp>/ledger.db'"},
		{"macOS temp folder", "/private/var/folders/zz/k3/T/x1/out.txt", "<tmp>/out.txt"},
		{"home", "/home/ann/src/lane/lane.c", "lane.c"},
		{"Windows", `open C:\Users\ann\lane\lane.go: denied`, "open lane.go: denied"},
		{"device files stay", "open /dev/null", "open /dev/null"},
		{"line number", "lane.c:31:9: broken", "lane.c: broken"},
		{"line number in words", `File "lane.py", line 31`, `File "lane.py",`},
		{"thread number", "in Thread-7 (work)", "in Thread-<n> (work)"},
		{"pool", "pool-3-thread-12 died", "pool-<n>-thread-<n> died"},
		{"goroutine", "goroutine 4 stuck", "goroutine <n> stuck"},
		{"pid of one digit", "pid 7 gone", "pid <n> gone"},
		{"attempt", "attempt 3 failed", "attempt <n> failed"},
		{"Java identity hash", "Cache@7344699f", "Cache@<hex>"},
		{"hash", "blob 9f86d081884c7d65 differs", "blob <hex> differs"},
		{"word of hex letters", "deadbeef feedface", "deadbeef feedface"},
		{"small numbers stay", "1 != 2", "1 != 2"},
		{"a big number takes the small ones along", "9 of 10 lanes", "<n> of <n> lanes"},
		{"fraction", "ratio 0.5", "ratio <n>"},
		{"negative", "balance -17", "balance <n>"},
		{"hyphen is no sign", "lane-17", "lane-<n>"},
		{"what came out", "got 3, want 4", "got <n>, want 4"},
		{"a quantity of one digit", "FAIL drain: sum 3", "FAIL drain: sum <n>"},
		{"a quantity after an equals sign", "len=4, summary 2", "len=<n>, summary 2"},
		{"errno", "[Errno 98] Address already in use", "[Errno 98] Address already in use"},
		{"exit status", "exit status 127 after 12 tries", "exit status 127 after <n> tries"},
		{"HTTP status", "HTTP 503 from 12 lanes", "HTTP 503 from <n> lanes"},
		{"digits in words", "sha256 of int64 on x86_64", "sha256 of int64 on x86_64"},
		{"set", "{'c', 'a', 'b'}", "{'a', 'b', 'c'}"},
		{"lines become one", "a\n\tb", "a b"},
		{"controls go", "a\x00\x1b[31mb\u202e", "a[31mb"},
		{"empty", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, fold(c.in)) })
	}
}

func TestFoldName(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"case number stays", "TestLane/case_17", "TestLane/case_17"},
		{"parameter stays", "test_x[3-abc]", "test_x[3-abc]"},
		{"port goes", "TestDial/localhost:41873", "TestDial/localhost:<n>"},
		{"address goes", "test_x[<Lane at 0x7f1c2a9b40>]", "test_x[<Lane at <addr>>]"},
		{"temp path goes", "test_x[/tmp/a1b2/in.csv]", "test_x[<tmp>/in.csv]"},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, foldName(c.in)) })
	}
}

func TestFoldKeepsWhatTellsFailuresApart(t *testing.T) {
	for _, pair := range [][2]string{
		{"[Errno 2] No such file", "[Errno 13] No such file"},
		{"exit status 1", "exit status 2"},
		{"HTTP status 404", "HTTP status 500"},
		{"open ledger.db: denied", "open wallet.db: denied"},
		{"1 != 2", "1 != 3"},
		{"GET /lanes failed", "GET /seats failed"},
		{strings.Repeat("x", 2*maxText) + "a", strings.Repeat("x", 2*maxText) + "b"},
	} {
		require.NotEqual(t, fold(pair[0]), fold(pair[1]))
	}
}

// TestFoldIsStable draws messages of the pieces that folding looks for: folding what is folded changes nothing,
// and the numbers in them do not matter.
func TestFoldIsStable(t *testing.T) {
	piece := rapid.SampledFrom([]string{"pid ", "at 0x7f00", "port ", "Thread-", "/tmp/x", ": ", " != ", "want", "[", "]", "{a, b}", " after ", "s", "%", "lane"})
	rapid.Check(t, func(t *rapid.T) {
		var b strings.Builder
		for range rapid.IntRange(1, 12).Draw(t, "pieces") {
			b.WriteString(piece.Draw(t, "piece"))
			if rapid.Bool().Draw(t, "number") {
				b.WriteString(rapid.StringMatching(`[1-9][0-9]{3}`).Draw(t, "digits"))
			}
		}
		once := fold(b.String())
		require.LessOrEqual(t, len([]rune(once)), maxText)
		require.Equal(t, printable(once), once)
	})
}

func TestScanNumbersSpans(t *testing.T) {
	found, big := scanNumbers("a 12 b x3 code 44 -7")
	require.True(t, big)
	require.Len(t, found, 3)
	require.True(t, found[1].code)
	require.False(t, found[2].big)
	require.Equal(t, len("a 12 b x3 code 44 "), found[2].from)
}

func TestClipKeepsLongTextsApart(t *testing.T) {
	long := strings.Repeat("é", 50)
	require.Equal(t, long, clip(long, 50))
	a, b := clip(long+"a", 50), clip(long+"b", 50)
	require.NotEqual(t, a, b)
	require.Len(t, []rune(a), 50)
}
