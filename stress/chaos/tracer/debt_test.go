package tracer

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const mostDelay = 500 * time.Millisecond

var each = terms{most: mostDelay, rate: 1}

// However many holds are wanted, and however long, a thread runs for as long as it is held: in no stretch of time is it
// held for more than half of that and the first half second, or the one longer hold.
func TestADelayedThreadRunsHalfOfTheTime(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 0))
		longest := []time.Duration{50 * time.Millisecond, 1500 * time.Millisecond}[seed%2]
		var d debt
		now, held, most := time.Duration(0), time.Duration(0), mostDelay
		for range 2000 {
			now += time.Duration(r.IntN(int(2 * time.Millisecond))) // until it is at the next point
			long := time.Duration(r.Int64N(int64(longest)))
			if r.IntN(4) == 0 {
				long = min(long, d.room(now, time.Hour, each)) // parked
			}
			if !d.allow(now, long, each) {
				continue
			}
			most = max(most, long)
			d.add(now, now+long, each)
			now, held = now+long, held+long
			require.LessOrEqual(t, held, now/2+most, "seed %d", seed)
		}
		require.Greater(t, held, now/4, "seed %d: it is still delayed", seed)
	}
}

// A long hold is for a thread to which nothing was done lately, short ones may follow each other.
func TestALongHoldWaitsForItsTurn(t *testing.T) {
	var d debt
	require.True(t, d.allow(0, time.Second, each))
	d.add(0, time.Second, each)
	require.False(t, d.allow(time.Second, time.Millisecond, each))
	require.Zero(t, d.room(time.Second, time.Hour, each))
	require.True(t, d.allow(1600*time.Millisecond, 50*time.Millisecond, each))
	require.False(t, d.allow(1600*time.Millisecond, time.Second, each))
	require.True(t, d.allow(2*time.Second, time.Second, each))
	require.Equal(t, mostDelay, d.room(2*time.Second, time.Hour, each))
}
