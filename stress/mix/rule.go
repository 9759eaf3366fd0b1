package mix

import (
	"encoding/binary"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"time"

	"gonum.org/v1/gonum/stat/distuv"
)

// The rule's constants; docs/statistics.md says why each is what it is.
const (
	// plainTime is the share of the campaign's time that plain attempts have until the first failure: even
	// where no strategy finds anything, a failure comes at most 1/plainTime times later than without them.
	plainTime = 0.6
	// plainLeast is the least share of attempts that are plain, at any time.
	plainLeast = 0.2
	// evenShare is the share of the other attempts that is given out evenly, so that no strategy is ever given up.
	evenShare = 0.1
	// priorEvents is how much a strategy of which nothing is known is taken to have brought in the time of one
	// attempt: Jeffreys' prior for a rate of Poisson events. priorInside is that of one inside the test's own runtime.
	priorEvents = 0.5
	priorInside = 1.5
	// novelty is how many times as much time a strategy gets, before anything failed, each of whose attempts
	// shows a variant never seen, as one that shows none.
	novelty = 8
)

// rates is what the rule needs of one strategy.
type rates struct {
	name string
	// prior and events make its rate: what it is taken to have brought, and what it brought. cost is the seconds of
	// the campaign it used up.
	prior, events, cost float64
	attempts            float64
}

// draw chooses a strategy for one attempt. It is a pure function of the ledger, the names allowed and the
// source of chance. The arms' first is plain.
func draw(arms []rates, failed bool, chance *rand.Rand) string {
	plain, others := arms[0], arms[1:]
	if len(others) == 0 {
		return Plain
	}
	each := meanCost(arms)
	if chance.Float64() < plainShare(plain, others, failed, each) {
		return Plain
	}
	if chance.Float64() < evenShare {
		return others[chance.IntN(len(others))].name
	}
	if failed {
		others = arms // plain may turn out to be the best of all
	}
	best, most := "", -1.0
	for _, a := range others {
		posterior := distuv.Gamma{Alpha: a.events + a.prior, Beta: a.cost + each, Src: chance}
		if rate := posterior.Rand(); rate > most {
			best, most = a.name, rate
		}
	}
	return best
}

// plainShare is the probability with which an attempt is plain before anything else is asked. Until the first
// failure plain attempts have plainTime of the time: with mean costs p and o, a share s of attempts takes
// s·p of s·p + (1-s)·o.
func plainShare(plain rates, others []rates, failed bool, each float64) float64 {
	if failed {
		return plainLeast
	}
	p := (plain.cost + each) / (plain.attempts + 1)
	var cost, attempts float64
	for _, a := range others {
		cost, attempts = cost+a.cost, attempts+a.attempts
	}
	o := (cost + each) / (attempts + 1)
	return max(plainLeast, plainTime*o/(plainTime*o+(1-plainTime)*p))
}

// meanCost is that of one attempt, whatever its strategy.
func meanCost(arms []rates) float64 {
	var cost, attempts float64
	for _, a := range arms {
		cost, attempts = cost+a.cost, attempts+a.attempts
	}
	return max(cost/max(attempts, 1), 1e-6)
}

// Cost is how much of the campaign's time an arm has used up, in seconds: the larger of its share of the
// slots' time and its share of the CPUs', since the scarcer of the two decides how many attempts a second
// there can be.
func (a *Arm) Cost(width, cpus int) time.Duration {
	slots := a.Wall / int64(max(width, 1))
	compute := (a.CPU + a.Tracer) / int64(max(cpus, 1))
	return time.Duration(max(slots, compute)) * time.Microsecond
}

// ratesOf reads the ledger: plain first, then the strategies in the order given.
func ratesOf(l *Ledger, cfg *Config) (arms []rates, failed bool) {
	for _, a := range l.Arms {
		failed = failed || a.Failures() > 0
	}
	usual := usualNovelty(l)
	for _, name := range append([]string{Plain}, cfg.Strategies...) {
		r := rates{name: name, prior: priorEvents}
		if slices.Contains(cfg.Inside, name) {
			r.prior = priorInside
		}
		a := l.Arm(name)
		if a != nil {
			r.cost, r.attempts = a.Cost(cfg.Width, cfg.CPUs).Seconds(), float64(a.Finished())
		}
		switch {
		case !failed:
			r.events = r.prior * (novelty - 1) * noveltyOf(a, usual)
		case a != nil:
			r.events = float64(a.Failures())
		}
		arms = append(arms, r)
	}
	return arms, failed
}

// noveltyOf is the share of an arm's attempts that showed a variant never seen; usual where it has none on record,
// as no attempt under a tracer has: what cannot be known must not count against it.
func noveltyOf(a *Arm, usual float64) float64 {
	if a == nil || a.Recorded == 0 {
		return usual
	}
	return float64(a.Variants) / float64(a.Recorded)
}

func usualNovelty(l *Ledger) float64 {
	var found, of float64
	for _, a := range l.Arms {
		if a.Strategy != Plain {
			found, of = found+float64(a.Variants), of+float64(a.Recorded)
		}
	}
	return found / max(of, 1)
}

// chanceFor is the source of chance of one try of one attempt: the same in every session.
func chanceFor(seed uint64, seq int64, try int) *rand.Rand {
	h := fnv.New64a()
	var buf [16]byte
	binary.LittleEndian.PutUint64(buf[:8], seed)
	binary.LittleEndian.PutUint64(buf[8:], uint64(try))
	h.Write([]byte("mix"))
	h.Write(buf[:])
	return rand.New(rand.NewPCG(h.Sum64(), uint64(seq)))
}
