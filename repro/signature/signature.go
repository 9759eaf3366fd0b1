package signature

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"sort"

	"heisen/stress/run"
)

// Input is what a failed attempt left.
type Input struct {
	// Output is both streams in the order of arrival; more than maxOutput bytes are cut in the middle.
	Output []byte
	// DumpAt is the offset in Output from which it is the stack dump after a time-out; -1 for none.
	DumpAt int
	// Outcome decides how the output is read; an attempt that did not go wrong has no signature.
	Outcome run.Outcome
	// Code is the exit code, Signal the name of the signal that ended the main process (SIGSEGV).
	Code   int
	Signal string
	// Leaked does not change the identity: what a failed test leaves running is a consequence.
	Leaked bool
}

// Signature is the identity of a failure.
type Signature struct {
	// ID is 12 hexadecimal digits over the set of failures: stable, and safe as a folder's name.
	ID string `json:"id"`
	// Title is one printable line of at most 120 runes. It depends on Failures and nothing else, so
	// attempts with the same ID have the same title.
	Title string `json:"title"`
	// Failures is the set of what failed, sorted, at least one.
	Failures []Failure `json:"failures"`
	// Hang tells that the failure was printed and then the attempt hung; it is not part of the identity.
	Hang bool `json:"hang,omitempty"`
	// Environment names an exhausted resource the output speaks of ("out of file descriptors"); a
	// note, not part of the identity.
	Environment string `json:"environment,omitempty"`
}

// Failure is one thing that failed. All its texts are folded, printable and one line each.
type Failure struct {
	// Kind is the shape that was recognised: "unittest", "go test", "sanitizer", "tail".
	Kind string `json:"kind"`
	// Test is the name of the test, empty where no test is known.
	Test string `json:"test,omitempty"`
	// Message is what it said.
	Message string `json:"message,omitempty"`
	// Where is the source text or the function that failed, for messages that do not say it.
	Where string `json:"where,omitempty"`
}

// maxFailures bounds the set. An attempt in which more tests fail is identified by the first ones in
// sorted order, which is as stable as the set itself.
const maxFailures = 64

// Of identifies the failure in what an attempt left. It is total: every input has an answer. The zero
// Signature is the answer for an attempt that did not go wrong (passed, skipped, cancelled).
func Of(in Input) Signature {
	switch in.Outcome {
	case run.Pass, run.Skip, run.Cancelled:
		return Signature{}
	}
	output, dump := split(in.Output, in.DumpAt)
	l := newLog(output)
	s := Signature{Environment: environment(l)}
	switch in.Outcome {
	case run.OOM:
		s.Failures = []Failure{{Kind: "oom", Message: "killed for want of memory"}}
	case run.Killed:
		s.Failures = []Failure{{Kind: "killed", Message: "killed from outside by " + signalName(in.Signal)}}
	case run.Timeout:
		s.Failures = find(l, certain)
		s.Hang = len(s.Failures) > 0
		if !s.Hang {
			s.Failures = []Failure{blocked(l, newLog(dump))}
		}
	default:
		s.Failures = ended(l, in)
	}
	s.Failures = canonical(s.Failures)
	s.ID = id(s.Failures)
	s.Title = title(s.Failures)
	return s
}

// ended identifies an attempt that came to its own end, by an exit code or a signal.
func ended(l *log, in Input) []Failure {
	failures := find(l, anyway)
	if in.Outcome == run.Crash && !explained(failures) {
		failures = append(failures, Failure{Kind: "crash", Test: running(l), Message: signalName(in.Signal)})
	}
	if len(failures) > 0 {
		return failures
	}
	return []Failure{tail(l, in.Code)}
}

// explained tells whether the output itself says how the process died, which a bare signal would repeat.
func explained(failures []Failure) bool {
	for _, f := range failures {
		if isFatal(f.Kind) {
			return true
		}
	}
	return false
}

func signalName(name string) string {
	if name == "" {
		return "a signal"
	}
	return clip(name, 32)
}

// canonical folds, sorts and deduplicates the set, so that the order of a concurrent log does not show.
func canonical(failures []Failure) []Failure {
	said := map[string]bool{}
	for i := range failures {
		f := &failures[i]
		f.Test, f.Message, f.Where = foldName(f.Test), fold(f.Message), fold(f.Where)
		if f.Message != "" {
			said[f.Test] = true
		}
	}
	var set []Failure
	seen := map[Failure]bool{}
	for _, f := range failures {
		// A bare name says less than the same test with its message, which another shape found.
		if seen[f] || (f.Message == "" && f.Test != "" && said[f.Test]) {
			continue
		}
		seen[f] = true
		set = append(set, f)
	}
	sort.Slice(set, func(i, j int) bool { return less(set[i], set[j]) })
	return set[:min(len(set), maxFailures)]
}

func less(a, b Failure) bool {
	if a.Kind != b.Kind {
		return a.Kind < b.Kind
	}
	if a.Test != b.Test {
		return a.Test < b.Test
	}
	if a.Message != b.Message {
		return a.Message < b.Message
	}
	return a.Where < b.Where
}

// Parts are the IDs that the failures of the set would have each alone, sorted; nil for a set of one, whose ID it is.
func (s Signature) Parts() (ids []string) {
	if len(s.Failures) < 2 {
		return nil
	}
	for _, f := range s.Failures {
		ids = append(ids, id([]Failure{f}))
	}
	sort.Strings(ids)
	return ids
}

// id hashes the set. Every text is closed by a NUL, which no folded text contains, so that no two sets
// run together.
func id(failures []Failure) string {
	h := sha256.New()
	for _, f := range failures {
		for _, part := range []string{f.Kind, f.Test, f.Message, f.Where} {
			_, _ = io.WriteString(h, part+"\x00")
		}
	}
	return hex.EncodeToString(h.Sum(nil))[:12]
}
