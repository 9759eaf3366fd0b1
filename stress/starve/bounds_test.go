package starve

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestOneNewSliceIsOneStall(t *testing.T) {
	var b bounds
	b.addStalls(schedstat{delay: 100, slices: 4}, schedstat{delay: 5_000_100, slices: 5})
	require.Equal(t, bounds{5_000_000, 5_000_000}, b)
	b.addStalls(schedstat{delay: 5_000_100, slices: 5}, schedstat{delay: 5_000_900, slices: 9})
	require.True(t, b.exact(), "small waits since do not blur it")
}

func TestManySlicesOnlyBoundTheLongestStall(t *testing.T) {
	var b bounds
	b.addStalls(schedstat{}, schedstat{delay: 40_000_000, slices: 39})
	require.Equal(t, bounds{1_000_000, 40_000_000}, b)
	require.False(t, b.worth(), "between 1 and 40 ms is no figure")
	var small bounds
	small.addStalls(schedstat{}, schedstat{delay: 900_000, slices: 39})
	require.True(t, small.worth(), "none of these waits was a millisecond long")
}

// Whatever a thread waited and whenever it was read, the truth lies within the bounds.
func TestLongestStallIsWithinItsBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var b bounds
		var now, read schedstat
		longest := int64(0)
		for range rapid.IntRange(0, 60).Draw(t, "waits") {
			wait := rapid.Int64Range(0, int64(time.Second)).Draw(t, "wait")
			now.delay, now.slices = now.delay+wait, now.slices+1
			longest = max(longest, wait)
			if rapid.Bool().Draw(t, "read") {
				b.addStalls(read, now)
				read = now
			}
		}
		b.addStalls(read, now)
		if b.low > longest || b.high < longest {
			t.Fatalf("the longest wait %d is outside %v", longest, b)
		}
	})
}

func TestThreadStartIsKnownAtItsFirstSlice(t *testing.T) {
	var b bounds
	var s start
	require.False(t, s.see(schedstat{}, &b), "it has not run yet")
	require.True(t, s.see(schedstat{delay: 7_000_000, slices: 1}, &b))
	require.False(t, s.see(schedstat{delay: 90_000_000, slices: 2}, &b), "later waits are no start")
	require.Equal(t, bounds{7_000_000, 7_000_000}, b)

	var late start
	require.False(t, late.see(schedstat{delay: 2_000_000, slices: 3}, &b), "seen too late to be known")
	require.Equal(t, bounds{7_000_000, 7_000_000}, b, "it cannot have been longer than the one that is known")
	var later start
	require.False(t, later.see(schedstat{delay: 50_000_000, slices: 3}, &b))
	require.False(t, b.worth(), "it may have been longer")
}
