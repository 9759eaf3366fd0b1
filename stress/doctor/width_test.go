package doctor

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

const (
	gib      = 1 << 30
	noLimit  = math.MaxUint64
	plentyFD = 1 << 20
)

func TestDefaultWidth(t *testing.T) {
	for _, tc := range []struct {
		name          string
		cpus          int
		memory        uint64
		nofile, nproc uint64
		want          int
		why           string
	}{
		{"two CPUs and plenty of all", 2, 24 * gib, plentyFD, noLimit, 16, "8 per CPU, 2 CPUs"},
		{"one CPU", 1, 24 * gib, plentyFD, noLimit, 8, "8 per CPU, 1 CPU"},
		{"no limit anywhere", 4, noLimit, noLimit, noLimit, 32, "8 per CPU"},
		{"a large machine", 128, 512 * gib, plentyFD, noLimit, 300, "the most heisen chooses by itself"},
		{"little memory", 8, gib, plentyFD, noLimit, 8, "1.0 GiB of memory"},
		{"memory for no copy at all", 8, 1 << 20, plentyFD, noLimit, 1, "1 MiB of memory"},
		{"few descriptors", 8, 24 * gib, 256, noLimit, 24, "256 file descriptors"},
		{"fewer descriptors than heisen's own", 8, 24 * gib, 20, noLimit, 1, "20 file descriptors"},
		{"few processes", 8, 24 * gib, plentyFD, 512, 28, "512 processes"},
		{"the tightest bound is named", 64, 2 * gib, 1024, 256, 12, "256 processes"},
		{"nothing known of the CPUs", 0, 24 * gib, plentyFD, noLimit, 8, "1 CPU"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			j, why := DefaultWidth(tc.cpus, tc.memory, tc.nofile, tc.nproc)
			require.Equal(t, tc.want, j)
			require.Contains(t, why, tc.why)
		})
	}
}

// More of anything never makes the default smaller, and it stays within its bounds.
func TestDefaultWidthNeverShrinksWithMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cpus := rapid.IntRange(0, 1024).Draw(t, "cpus")
		var r [3]uint64
		for i := range r {
			r[i] = rapid.Uint64().Draw(t, "resource")
		}
		j, why := DefaultWidth(cpus, r[0], r[1], r[2])
		require.NotEmpty(t, why)
		require.GreaterOrEqual(t, j, 1)
		require.LessOrEqual(t, j, 300)
		more, _ := DefaultWidth(cpus+1, r[0]|r[0]>>1, r[1]|r[1]>>1, r[2]|r[2]>>1)
		require.GreaterOrEqual(t, more, j)
	})
}
