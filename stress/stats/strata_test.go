package stats_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat/distuv"

	"heisen/stress/stats"
)

// Pairs of one minute share its luck: the rate swings between a tenth and five times the mean. Somebody looks after
// every pair; the rate after is exactly a tenth, or for "rarer" the same.
func TestPairErrorsWhileOneLooks(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 5))
	const campaigns, pairs = 400, 3000
	var fell, stayed, rarer int
	for range campaigns {
		var tenth, same stats.Pairs
		var wrongFell, wrongStayed, wrongRarer bool
		rate := 0.0
		for i := range pairs {
			if i%50 == 0 {
				rate = 0.1 * math.Pow(10, r.Float64()*1.7-1) // 1 to 50 %
			}
			before, after, again := r.Float64() < rate, r.Float64() < rate/10, r.Float64() < rate
			tenth.Add(before, after)
			same.Add(before, again)
			if before || after || again {
				wrongFell = wrongFell || tenth.FellBelow(0.1) >= decided
				wrongStayed = wrongStayed || tenth.StayedAbove(0.1) >= decided
				wrongRarer = wrongRarer || same.FellBelow(1) >= decided
			}
		}
		for wrong, count := range map[*bool]*int{&wrongFell: &fell, &wrongStayed: &stayed, &wrongRarer: &rarer} {
			if *wrong {
				*count++
			}
		}
	}
	t.Logf("seed %d, of %d campaigns: fell %d, stayed %d, rarer %d", seed, campaigns, fell, stayed, rarer)
	require.LessOrEqual(t, max(fell, stayed, rarer), 4+4*2, "seed %d", seed)
}

// Three plans with rates of 50, 5 and 0.5 %, each exactly a tenth after; looked at after every failure.
func TestStrataErrorsWhileOneLooks(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 6))
	const campaigns = 150
	var fell, stayed int
	for range campaigns {
		strata := make([]stats.Arms, 3)
		rates := [...]float64{0.5, 0.05, 0.005}
		for i, rate := range rates {
			strata[i].Before = 100
			strata[i].BeforeFailed = int64(distuv.Binomial{N: 100, P: rate, Src: r}.Rand())
		}
		wrongFell, wrongStayed := false, false
		for n := range 4000 {
			i := n % 3
			strata[i].After++
			if failed := r.Float64() < rates[i]/10; failed {
				strata[i].AfterFailed++
				wrongStayed = wrongStayed || stats.StayedAbove(strata, 0.1) >= decided
			} else if n%16 == 0 { // between failures this evidence only grows
				wrongFell = wrongFell || stats.FellBelow(strata, 0.1) >= decided
			}
		}
		if wrongFell {
			fell++
		}
		if wrongStayed {
			stayed++
		}
	}
	t.Logf("seed %d, of %d campaigns: fell %d, stayed %d", seed, campaigns, fell, stayed)
	require.LessOrEqual(t, max(fell, stayed), 2+4*2, "seed %d", seed)
}
