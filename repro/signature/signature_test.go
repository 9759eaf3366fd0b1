package signature

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"heisen/stress/run"
)

// failed is the signature of an attempt that printed a text and exited with 1.
func failed(text string) Signature {
	return Of(Input{Output: []byte(text), DumpAt: -1, Outcome: run.Fail, Code: 1})
}

// hung is the signature of an attempt that printed a text and was stopped at its time-out.
func hung(text, dump string) Signature {
	return Of(Input{Output: []byte(text + dump), DumpAt: len(text), Outcome: run.Timeout})
}

func requireTitle(t *testing.T, title string) {
	t.Helper()
	require.NotEmpty(t, title)
	require.True(t, utf8.ValidString(title))
	require.LessOrEqual(t, utf8.RuneCountInString(title), maxTitle)
	for _, r := range title {
		require.True(t, unicode.IsPrint(r), "%q in %q", r, title)
	}
}

func TestNoSignatureWhereNothingFailed(t *testing.T) {
	for _, o := range []run.Outcome{run.Pass, run.Skip, run.Cancelled} {
		s := Of(Input{Output: []byte("--- FAIL: TestX (0.00s)\n"), DumpAt: -1, Outcome: o})
		require.Equal(t, Signature{}, s, o)
	}
}

func TestEveryOtherOutcomeHasOne(t *testing.T) {
	for _, o := range run.Outcomes() {
		if o == run.Pass || o == run.Skip || o == run.Cancelled {
			continue
		}
		s := Of(Input{DumpAt: -1, Outcome: o})
		require.Regexp(t, `^[0-9a-f]{12}$`, s.ID, o)
		require.NotEmpty(t, s.Failures, o)
		requireTitle(t, s.Title)
	}
}

func TestIDIgnoresOrderRepetitionAndLeaks(t *testing.T) {
	a := "not ok 1 - opens\nnot ok 2 - closes\n"
	b := "not ok 7 - closes\nok 8 - x\nnot ok 9 - opens\nnot ok 10 - opens\n"
	require.Equal(t, failed(a).ID, failed(b).ID)
	require.NotEqual(t, failed(a).ID, failed("not ok 1 - opens\n").ID)
	leaky := Of(Input{Output: []byte(a), DumpAt: -1, Outcome: run.Fail, Leaked: true, Code: 9})
	require.Equal(t, failed(a), leaky)
}

func TestIDSeparatesItsParts(t *testing.T) {
	require.NotEqual(t, id([]Failure{{Test: "ab", Message: "c"}}), id([]Failure{{Test: "a", Message: "bc"}}))
	require.NotEqual(t, id([]Failure{{Test: "a"}, {Test: "b"}}), id([]Failure{{Test: "a", Message: "b"}}))
}

func TestCanonicalDropsABareNameThatIsSaidBetter(t *testing.T) {
	got := canonical([]Failure{{Kind: "go test", Test: "TestX"}, {Kind: "go race", Test: "TestX", Message: "data race in f"},
		{Kind: "go test", Test: "TestY"}})
	require.Equal(t, []Failure{{Kind: "go race", Test: "TestX", Message: "data race in f"}, {Kind: "go test", Test: "TestY"}}, got)
}

func TestSetIsBounded(t *testing.T) {
	var b strings.Builder
	for i := range 500 {
		b.WriteString("not ok - lane " + strings.Repeat("x", i) + "\n")
	}
	s := failed(b.String())
	require.Len(t, s.Failures, maxFailures)
	require.Contains(t, s.Title, "and 63 more")
}

func TestCrash(t *testing.T) {
	crash := func(output string) Signature {
		return Of(Input{Output: []byte(output), DumpAt: -1, Outcome: run.Crash, Signal: "SIGSEGV"})
	}
	require.Equal(t, "SIGSEGV", crash("").Title)
	require.Equal(t, "SIGSEGV", crash("warming up\n").Title, "an unknown log does not hide the signal")
	require.Equal(t, "double free or corruption (out)", crash("double free or corruption (out)\n").Title)
	require.Equal(t, "TestX: SIGSEGV", crash("=== RUN   TestX\n").Title)
	both := crash("not ok 1 - a\n# Looks like you failed\n")
	require.Len(t, both.Failures, 2, "the crash stands beside the test that failed before it")
}

func TestKilledAndOOMAreNotTheTests(t *testing.T) {
	for _, o := range []run.Outcome{run.Killed, run.OOM} {
		s := Of(Input{Output: []byte("not ok 1 - a\n"), DumpAt: -1, Outcome: o, Signal: "SIGTERM"})
		require.Len(t, s.Failures, 1)
		require.NotEqual(t, "tap", s.Failures[0].Kind)
	}
}

func TestTitle(t *testing.T) {
	long := strings.Repeat("n", 300)
	for _, c := range []struct {
		name string
		in   []Failure
		want string
	}{
		{"none", nil, ""},
		{"test and message", []Failure{{Test: "T", Message: "m"}}, "T: m"},
		{"test alone", []Failure{{Test: "T"}}, "T"},
		{"place", []Failure{{Message: "m", Where: "f"}}, "m (f)"},
		{"more", []Failure{{Test: "T"}, {Test: "U"}}, "T (and 1 more)"},
		{"long name leaves room", []Failure{{Test: long, Message: "m"}}, strings.Repeat("n", 79) + "…: m"},
		{"long message", []Failure{{Message: long}}, strings.Repeat("n", 119) + "…"},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, title(c.in)) })
	}
}

func TestRegistry(t *testing.T) {
	kinds := map[string]bool{}
	for _, s := range shapes() {
		require.False(t, kinds[s.kind], "%s is there twice", s.kind)
		kinds[s.kind] = true
		require.Empty(t, s.find(newLog(nil)), s.kind)
	}
	require.True(t, isFatal("sanitizer"))
	require.False(t, isFatal("pytest"))
	require.False(t, isFatal("tail"))
}

// TestEveryShapeIsInTheCorpus keeps the corpus in step with the table.
func TestEveryShapeIsInTheCorpus(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range readCorpus(t) {
		for _, f := range Of(c.in).Failures {
			seen[f.Kind] = true
		}
	}
	for _, s := range shapes() {
		require.True(t, seen[s.kind], "no case shows the shape %q", s.kind)
	}
}

// TestPartsAreTheSignaturesOfEach: a failure that comes alone has the ID that it is part of a set with.
func TestPartsAreTheSignaturesOfEach(t *testing.T) {
	says := func(names ...string) Signature {
		var out string
		for _, name := range names {
			out += "--- FAIL: " + name + " (0.00s)\n    x_test.go:7: broken " + name + "\n"
		}
		return Of(Input{Output: []byte(out + "FAIL\n"), DumpAt: -1, Outcome: run.Fail, Code: 1})
	}
	a, b, both := says("TestA"), says("TestB"), says("TestA", "TestB")
	require.Nil(t, a.Parts())
	require.ElementsMatch(t, []string{a.ID, b.ID}, both.Parts())
	require.NotContains(t, both.Parts(), both.ID)
}
