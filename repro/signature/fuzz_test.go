package signature

import (
	"fmt"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"heisen/stress/run"
)

var (
	fuzzAddress = regexp.MustCompile(`\b0x[0-9a-f]{6,12}\b`)
	fuzzPID     = regexp.MustCompile(`\bpid[ =]\d{3,6}\b`)
)

// renumber gives every address and pid another one of the same length, as a second run would.
func renumber(output []byte) []byte {
	next := 0
	digits := func(n int) string {
		next++
		return fmt.Sprintf("%0*d", n, next%1000+1)
	}
	output = fuzzAddress.ReplaceAllFunc(output, func(m []byte) []byte {
		return []byte("0x7" + digits(len(m)-3))
	})
	return fuzzPID.ReplaceAllFunc(output, func(m []byte) []byte {
		return []byte(string(m[:4]) + "9" + digits(len(m)-5))
	})
}

func FuzzSignature(f *testing.F) {
	outcomes := run.Outcomes()
	index := func(o run.Outcome) uint8 {
		for i := range outcomes {
			if outcomes[i] == o {
				return uint8(i)
			}
		}
		return 0
	}
	for _, c := range readCorpusFiles(f) {
		if len(c.in.Output) < 16<<10 {
			f.Add(c.in.Output, c.in.DumpAt, index(c.in.Outcome), c.in.Code, c.in.Signal)
		}
	}
	f.Fuzz(func(t *testing.T, output []byte, dumpAt int, outcome uint8, code int, signal string) {
		in := Input{Output: output, DumpAt: dumpAt, Outcome: outcomes[int(outcome)%len(outcomes)], Code: code, Signal: signal}
		s := Of(in)
		require.Equal(t, s, Of(in), "the same input has the same signature")
		if s.ID == "" {
			require.Equal(t, Signature{}, s)
			return
		}
		requireTitle(t, s.Title)
		require.Regexp(t, `^[0-9a-f]{12}$`, s.ID)
		require.NotEmpty(t, s.Failures)
		for i, failure := range s.Failures {
			require.NotEmpty(t, failure.Test+failure.Message)
			require.True(t, i == 0 || less(s.Failures[i-1], failure), "sorted and distinct")
		}
		in.Output = renumber(output)
		require.Len(t, in.Output, len(output))
		require.Equal(t, s.ID, Of(in).ID, "other pids and addresses, the same failure")
	})
}
