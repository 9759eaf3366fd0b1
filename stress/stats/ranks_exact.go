package stats

// Limits of the exact p-value: beyond them the normal approximation is good, or the exact one dear.
const (
	exactSmall   = 12      // values in the smaller group
	exactStratum = 64      // values in one stratum
	exactLattice = 1 << 12 // points of the statistic's distribution
)

// exactP is the two-sided p-value from the permutation distribution of the statistic: within each stratum
// every choice of nx among all n values is equally likely. ok is false where that is too much work.
func exactP(blocks []block, nx, ny int) (p float64, ok bool) {
	unit, ok := lattice(blocks, nx, ny)
	if !ok {
		return 0, false
	}
	observed, dist := 0, []float64{1}
	for _, b := range blocks {
		step := unit / (2 * (b.n() + 1))
		dist = convolve(dist, b.sums(), step)
		for i, r := range b.ranks {
			if b.of[i] {
				observed += r * step
			}
		}
	}
	var low, high float64
	for at, q := range dist {
		if at <= observed {
			low += q
		}
		if at >= observed {
			high += q
		}
	}
	return 2 * min(low, high), true
}

// lattice finds the least common denominator of the strata's statistics, so that their sum can be counted
// in whole numbers.
func lattice(blocks []block, nx, ny int) (unit int, ok bool) {
	if min(nx, ny) > exactSmall {
		return 0, false
	}
	unit = 1
	for _, b := range blocks {
		d := 2 * (b.n() + 1)
		unit = unit / gcd(unit, d) * d
		if b.n() > exactStratum || unit*nx > exactLattice {
			return 0, false
		}
	}
	return unit, true
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// sums is the distribution of the sum of X's doubled ranks: sums[s] is the probability of s.
func (b block) sums() []float64 {
	// Choosing the ranks of one group chooses the other's: follow the smaller one.
	k, total := min(b.nx, b.ny), 0
	for _, r := range b.ranks {
		total += r
	}
	ways := make([][]float64, k+1) // [chosen][sum]
	for i := range ways {
		ways[i] = make([]float64, total+1)
	}
	ways[0][0] = 1
	for seen, r := range b.ranks {
		for c := min(k, seen+1); c > 0; c-- {
			for s := total; s >= r; s-- {
				ways[c][s] += ways[c-1][s-r]
			}
		}
	}
	var all float64
	for _, w := range ways[k] {
		all += w
	}
	dist := make([]float64, total+1)
	for s, w := range ways[k] {
		if b.nx > b.ny {
			s = total - s
		}
		dist[s] = w / all
	}
	return dist
}

// convolve adds an independent part, whose values count step points each, to a distribution.
func convolve(dist, part []float64, step int) []float64 {
	sum := make([]float64, len(dist)+step*(len(part)-1))
	for at, p := range dist {
		if p == 0 {
			continue
		}
		for s, q := range part {
			sum[at+s*step] += p * q
		}
	}
	return sum
}
