package starve

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTotalsAreCarriedOnAtTheirRate(t *testing.T) {
	at := time.Unix(1000, 0)
	tot := totals{fast: track{every: fastEvery, kinds: []int{totCPUSome}}, slow: track{every: slowEvery, kinds: []int{totSteal}}}
	require.Negative(t, tot.at(at).fast, "nothing read yet")
	tot.fast.read(at, [totKinds]int64{totCPUSome: 1000})
	require.Negative(t, tot.at(at).fast, "one reading has no rate")
	tot.fast.read(at.Add(50*time.Millisecond), [totKinds]int64{totCPUSome: 26_000})
	m := tot.at(at.Add(70 * time.Millisecond))
	require.Equal(t, 20*time.Millisecond, m.fast)
	require.EqualValues(t, 36_000, m.v[totCPUSome])
	require.Negative(t, m.slow)
	require.EqualValues(t, 16_000, tot.at(at.Add(30 * time.Millisecond)).v[totCPUSome], "between two readings")
}

func TestShortOrBadlyReadAttemptsHaveNoTotals(t *testing.T) {
	require.True(t, spanned(200*time.Millisecond, 0, 10*time.Millisecond, fastEvery))
	require.False(t, spanned(199*time.Millisecond, 0, 0, fastEvery))
	require.False(t, spanned(time.Second, 300*time.Millisecond, 0, fastEvery), "the sampler was late at its start")
	require.False(t, spanned(time.Hour, -1, 0, fastEvery))
}
