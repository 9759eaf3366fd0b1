package tally

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The set of finished numbers against the plainest set there is.
func TestRangesAgainstMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var r ranges
		model := map[int64]bool{}
		for _, n := range rapid.SliceOf(rapid.Int64Range(1, 60)).Draw(t, "added") {
			require.Equal(t, !model[n], r.add(n), "add(%d) tells whether it was new", n)
			model[n] = true
		}
		for n := int64(0); n <= 62; n++ {
			require.Equal(t, model[n], r.has(n), "has(%d) of %v", n, r)
		}
		for i, s := range r {
			require.LessOrEqual(t, s.First, s.Last)
			if i > 0 {
				require.Greater(t, s.First, r[i-1].Last+1, "neighbours are joined: %v", r)
			}
		}
		next := int64(1)
		for n := range r.missing() {
			for ; next < n; next++ {
				require.True(t, model[next], "%d was skipped in %v", next, r)
			}
			require.False(t, model[n], "%d is not missing in %v", n, r)
			if next++; n > 62 {
				break
			}
		}
		require.Greater(t, next, int64(62))
	})
}

// Ten million attempts that finish nearly in order must not need memory of their own.
func TestRangesStaySmall(t *testing.T) {
	var r ranges
	for block := int64(0); block < 1000; block++ {
		for i := int64(10); i > 0; i-- {
			r.add(block*10 + i)
		}
	}
	require.Equal(t, ranges{{1, 10000}}, r)
}

func TestMissingStartsAtOneWhateverWasAdded(t *testing.T) {
	var r ranges
	r.add(-5)
	r.add(0)
	for n := range r.missing() {
		require.Equal(t, int64(1), n)
		break
	}
}
