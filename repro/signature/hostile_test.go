package signature

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/stress/run"
)

// hostileSize is enough for a quadratic reader to miss the limit; the whole bound is for the slow run.
func hostileSize() int {
	if os.Getenv("HEISEN_SLOW_TESTS") == "1" {
		return maxOutput
	}
	return 256 << 10
}

// hostile are outputs that would cost a careless reader quadratic time or endless memory.
func hostile() map[string]string {
	size := hostileSize()
	fill := func(s string) string { return strings.Repeat(s, size/len(s)+1)[:size] }
	rule := strings.Repeat("=", 70) + "\n"
	return map[string]string{
		"one line":             fill("x"),
		"line feeds":           fill("\n"),
		"carriage returns":     fill("\r"),
		"short lines":          fill("a\n"),
		"spaces":               fill(" "),
		"escapes":              fill("\x1b"),
		"open escapes":         fill("\x1b]"),
		"open CSI":             fill("\x1b[3"),
		"NUL":                  fill("\x00"),
		"invalid":              fill("\xff"),
		"traceback heads":      fill("Traceback (most recent call last):\n"),
		"thread exceptions":    fill("Exception in thread T:\nTraceback (most recent call last):\n"),
		"chains":               fill("Traceback (most recent call last):\nE: x\n\nDuring handling of the above exception, another exception occurred:\n\n"),
		"unittest heads":       fill("FAIL: a (b.C)\n"),
		"unittest blocks":      fill(rule + "FAIL: a (b.C)\n" + strings.Repeat("-", 70) + "\n"),
		"pytest sections":      fill("____ a ____\nE   x\n"),
		"pytest summary":       "=== short test summary info ===\n" + fill("FAILED a.py::b - c\n"),
		"go messages":          "--- FAIL: T (0.00s)\n" + fill("    a.go:1: \n"),
		"go verdicts":          fill("--- FAIL: T/a/b/c/d/e/f (0.00s)\n"),
		"go deep name":         "--- FAIL: " + fill("a/") + " (0.00s)\n",
		"go panics":            fill("panic: x\n"),
		"go panics and stacks": fill("panic: x\n\ngoroutine 1 [running]:\na.b()\n\n"),
		"go stacks":            fill("goroutine 1 [running]:\na.b()\n\n"),
		"go races":             fill("WARNING: DATA RACE\nRead at 0x1 by goroutine 1:\n"),
		"go json":              fill(`{"Action":"start","Package":"p"}` + "\n"),
		"go json, broken":      fill(`{"Action":"`),
		"go json, streams":     fill(`{"Action":"start","Package":"p"}` + "\n" + `{"Action":"output","Package":"p","Test":"T","Output":"--- FAIL: T (0.00s)\n"}` + "\n"),
		"gtest":                fill("[ RUN      ] A.b\na.cc:1: Failure\n[  FAILED  ] A.b (0 ms)\n"),
		"tap":                  fill("not ok - a\n  ---\n"),
		"perl":                 fill("#   Failed test 'a'\n"),
		"junit, deep":          fill("<testsuite>"),
		"junit, wide":          "<testsuite>" + fill("<testcase name='a'><failure/></testcase>"),
		"junit, entities":      "<testsuite>" + fill("&lt;"),
		"sanitizers":           fill("==1==ERROR: AddressSanitizer: x on address 0x1\n    #0 0x1 in f a.c:1\n"),
		"asserts":              fill("a: a.c:1: f: Assertion `x' failed.\n"),
		"python fatals":        fill("Fatal Python error: x\n"),
		"java":                 fill("Exception in thread \"a\" b.C\n\tat d.e(f)\n"),
		"node":                 "\nNode.js v20\n" + fill("Error: x\n"),
		"node spec":            fill("✖ a (1ms)\nError: x\n"),
		"rust":                 "test result: FAILED.\n" + fill("failures:\n    a\n"),
		"rust panics":          fill("thread 'a' panicked at a.rs:1:1:\nx\n"),
		"shell":                fill("sh: x\n"),
		"running tests":        fill("=== RUN   T\n"),
		"numbers":              fill("1 "),
		"braces":               fill("{a,"),
		"paths":                "error: " + fill("/tmp/a/"),
		"words that complain":  fill("error "),
		"rules":                fill(rule),
	}
}

// TestHostileOutputIsBounded gives every hostile output a limit that only a quadratic reader exceeds: each
// of them takes well under a second.
func TestHostileOutputIsBounded(t *testing.T) {
	for name, text := range hostile() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, o := range []run.Outcome{run.Fail, run.Timeout} {
				start := time.Now()
				s := Of(Input{Output: []byte(text), DumpAt: len(text) / 2, Outcome: o})
				t.Logf("%s took %v: %s", o, time.Since(start).Round(time.Millisecond), s.Title)
				require.Less(t, time.Since(start), 30*time.Second)
				requireTitle(t, s.Title)
				require.LessOrEqual(t, len(s.Failures), maxFailures)
			}
		})
	}
}

// within drowns a failure in the middle of noise of every line of which runes may be anything.
func within(noise, failure string) string { return noise + "\n" + failure + "\n" + noise }

func TestFault25EnormousLine(t *testing.T) {
	// What is kept of a line of 300 MB is its head and its tail; a failure beside it is still found.
	line := strings.Repeat("x", 3<<20)
	require.Equal(t, failed("not ok 1 - drains\n").ID, failed(within(line, "not ok 1 - drains")).ID)
}

func TestFault26BinaryOutput(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 1<<20)
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	s := failed(within(string(noise), "not ok 1 - drains"))
	require.Contains(t, s.Title, "drains")
	requireTitle(t, failed(string(noise)).Title)
	require.True(t, bytes.ContainsRune(noise, 0), "the noise has NULs")
}

func TestFault27TerminalEscapes(t *testing.T) {
	for _, e := range []string{"\x1b]52;c;QQ==\x07", "\x1b]8;;http://evil.example\x1b\\", "\x1b]0;owned\x07", "\x1b[6n",
		"\x1b[2J\x1b[H", "\u009b6n", "\x1bP+q544e\x1b\\", "\x1b_x\x1b\\", "\b\b\b", "\x07"} {
		plain := failed("not ok 1 - drains the lane\n")
		dirty := failed("not ok 1 - drains " + e + "the lane" + e + "\n")
		require.Equal(t, plain.Title, dirty.Title, "%q", e)
		require.Equal(t, plain.ID, dirty.ID, "%q", e)
	}
	require.NotEqual(t, failed("not ok 1 - drains the lane\n").ID, failed("not ok 1 - drains x the lane\n").ID,
		"control: what is no escape is not folded away")
}

func TestFault28ForgedOutput(t *testing.T) {
	const real = "=== RUN   TestReal\n    a_test.go:1: lost the lane\n--- FAIL: TestReal (0.00s)\nFAIL\n"
	want := failed(real)
	require.Equal(t, "TestReal: a_test.go: lost the lane", want.Title)
	for _, forged := range []string{
		"--- PASS: TestReal (0.00s)",
		"ok  \texample.com/x\t0.01s",
		"::error file=a.go,line=1::owned",
		"##vso[task.complete result=Succeeded;]",
		`{"Action":"fail","Package":"p","Test":"TestForged"}`,
		`{"Action":"output","Package":"p","Test":"TestForged","Output":"--- FAIL: TestForged (0.00s)\n"}`,
		"expected FAIL: foo",
		"FAIL: foo (bar.Baz)",
		"x --- FAIL: TestForged (0.00s)",
		"FAILED a.py::b - not a summary",
		"--- FAIL: TestForged",
		"[       OK ] Lane.Real (0 ms)",
		"test tests::forged ... FAILED",
		"SUMMARY: AddressSanitizer: nothing",
		"panic: not really",
	} {
		got := failed(forged + "\n" + real + forged + "\n")
		require.Equal(t, want.ID, got.ID, "%s: %s", forged, got.Title)
	}
	other := strings.ReplaceAll(real, "TestReal", "TestOther")
	require.NotEqual(t, want.ID, failed(other+real).ID, "control: a second failure that is none of these forgeries counts")
}

func TestFault30HostileNames(t *testing.T) {
	ids := map[string]bool{}
	names := []string{"../../x", "/etc/passwd", "a\x00b", strings.Repeat("n", 300), strings.Repeat("n", 300) + "m",
		"\u202egnp.exe", "<script>alert(1)</script>", "`rm -rf ~`", "con", ".", "..", "%s%n", "日本語"}
	for _, name := range names {
		s := failed("not ok 1 - " + name + "\n")
		require.Regexp(t, `^[0-9a-f]{12}$`, s.ID, "%q", name)
		requireTitle(t, s.Title)
		ids[s.ID] = true
	}
	require.Len(t, ids, len(names), "every name keeps an identity of its own")
}

// TestPassesAroundDoNotHideAFailure finds one failing test between thousands that pass.
func TestPassesAroundDoNotHideAFailure(t *testing.T) {
	var before, after strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&before, "ok %d - fine\n", i)
		fmt.Fprintf(&after, "[       OK ] Lane.T%d (0 ms)\n", i)
	}
	require.Equal(t, failed("not ok 1 - drains\n").ID, failed(before.String()+"not ok 5001 - drains\n"+after.String()).ID)
}
