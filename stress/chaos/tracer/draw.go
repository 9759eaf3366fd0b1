package tracer

import (
	"hash/fnv"
	"math"
	"time"
)

// source gives numbers that depend on nothing but a seed and what they are for, so that one draw never moves
// another. The mixing function is the finaliser of SplitMix64 (Steele, Lea, Flood 2014).
type source uint64

func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// of is the source for something that has a name.
func (s source) of(name string) source {
	h := fnv.New64a()
	h.Write([]byte(name))
	return s.with(h.Sum64())
}

// with is the source for something that has a number.
func (s source) with(n uint64) source { return source(mix(uint64(s) ^ mix(n))) }

// unit is a number in [0, 1).
func (s source) unit() float64 { return float64(mix(uint64(s))>>11) / (1 << 53) }

// below is a number in [0, n).
func (s source) below(n int) int { return int(s.unit() * float64(n)) }

// chance is true with probability p.
func (s source) chance(p float64) bool { return s.unit() < p }

// logUniform is a number in [low, high], its logarithm uniform.
func (s source) logUniform(low, high float64) float64 {
	if high <= low {
		return high
	}
	return math.Exp(math.Log(low) + s.unit()*math.Log(high/low))
}

// between is a log-uniform duration.
func (s source) between(low, high time.Duration) time.Duration {
	return time.Duration(s.logUniform(float64(low), float64(high)))
}
