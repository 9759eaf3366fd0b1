package text_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"heisen/reports/text"
	"heisen/stress/interleave"
)

func TestDivergenceIsASentenceThenTwoColumns(t *testing.T) {
	d := interleave.Between(interleave.Canonical(interleave.FromLines([]byte("a 0x123456\nb 0x222222\nc\n"))),
		interleave.Canonical(interleave.FromLines([]byte("a 0x999999\nc\n\x1b[2Jd\n"))))
	var b strings.Builder
	require.NoError(t, text.Divergence(&b, d, "good", "bad", text.Style{}, false))
	require.Equal(t, `@2 never ran there; the first difference is event 2 of the passing attempt, "b @2": one attempt against another shows no cause
  good   bad
  a @1   a @1
  b @2 <
  c      c
       > �[2Jd
  missing:   b @2
  extra:     �[2Jd
  never ran: @2
`, b.String())
}

func TestLongColumnsAreShownAroundTheDifference(t *testing.T) {
	same := strings.Repeat("same\n", 300)
	d := interleave.Between(interleave.Canonical(interleave.FromLines([]byte(same+"left\n"+same))),
		interleave.Canonical(interleave.FromLines([]byte(same+"right\n"+same))))
	var short, whole strings.Builder
	require.NoError(t, text.Divergence(&short, d, "a", "b", text.Style{}, false))
	require.Contains(t, short.String(), "  left <\n")
	require.Contains(t, short.String(), " the same ...")
	require.Less(t, strings.Count(short.String(), "\n"), 60)
	require.NoError(t, text.Divergence(&whole, d, "a", "b", text.Style{}, true))
	require.Greater(t, strings.Count(whole.String(), "\n"), 600)
}
