package stats

import "math"

// Arms are the counts of one stratum (one plan, one kind of load): attempts and failures of the program
// before and after a change. Failures are never more than attempts.
type Arms struct {
	Before, BeforeFailed int64
	After, AfterFailed   int64
}

// FellBelow is the evidence that the failure rate after a change is less than ratio (0 < ratio <= 1) times the
// rate before it: the logarithm of evidence against the hypothesis "in every stratum after >= ratio * before", which that
// lets reach log(1/alpha) with a chance of at most alpha, whatever the rates before are, however often it is read and whenever
// one stops adding attempts after the change. The attempts before must be there first and must have been ended by a number
// of attempts, a time or a number of failures that was fixed beforehand. It is -Inf where nothing failed before.
//
// Each of a few alternatives is a likelihood ratio: "the rate after is not ratio but tau * ratio times the one
// before", tau < 1, put against tau = 1 with the rate before integrated out, by the prior 1/rate that is the same on every
// scale: what is left depends on the ratio alone, and is as good as it can be at any number of attempts. The evidence is
// their mixture. Where the baseline was ended by a number of failures it is a martingale whatever the rate is (rare failures;
// others vary less), and Ville's inequality holds; where a time or a number of attempts ended it, that is so on the average over
// rates only, and a simulation holds it to its error rates (TestErrorsWhileOneLooks).
//
// Source: J. Ville (1939); H. Robbins, Annals of Mathematical Statistics 41 (1970), 1397-1409, for the mixture; M. F. Pérez-Ortiz,
// T. Lardy, R. de Heide and P. Grünwald, "E-statistics, group invariance and anytime-valid testing", Annals of Statistics
// 52 (2024), 1410-1432, for the prior.
func FellBelow(strata []Arms, ratio float64) float64 {
	var failed int64
	for _, s := range strata {
		failed += s.BeforeFailed
	}
	if failed == 0 {
		return math.Inf(-1) // what never failed before cannot fall
	}
	var mix mixture
	for _, a := range fallen {
		mix.add(a.weight, invariant(strata, ratio, a.tau))
	}
	return mix.log()
}

// fallen are the alternatives of FellBelow. No failure at all carries most of the weight: it is what a real fix shows.
var fallen = [...]struct{ weight, tau float64 }{{0.5, 0}, {0.3, 0.1}, {0.2, 0.35}}

// StayedAbove is the evidence that the failure rate after a change is more than ratio (0 < ratio <= 1) times the
// rate before it: as FellBelow, the other way, and as valid. It is 0 where nothing failed before.
func StayedAbove(strata []Arms, ratio float64) float64 {
	unchanged := max(1/ratio, 3)
	var mix mixture
	for _, a := range stayed {
		mix.add(a.weight, invariant(strata, ratio, math.Pow(unchanged, a.power)))
	}
	return mix.log()
}

// stayed are the alternatives of StayedAbove: nothing changed (power 1), or the rate fell half the way on a scale of
// logarithms.
var stayed = [...]struct{ weight, power float64 }{{0.6, 1}, {0.4, 0.5}}

// invariant is the log likelihood ratio of "after = tau * ratio * before" against "after = ratio * before", the rates
// before integrated out. A stratum that never failed before tells nothing, except that what fails there now did not fall.
func invariant(strata []Arms, ratio, tau float64) float64 {
	sum := 0.0
	for _, s := range strata {
		if s.BeforeFailed > 0 || tau < 1 {
			sum += times(s.AfterFailed, math.Log(tau))
		}
		if s.BeforeFailed > 0 {
			n0, n1 := float64(s.Before), ratio*float64(s.After)
			sum += float64(s.BeforeFailed+s.AfterFailed) * math.Log((n0+n1)/(n0+tau*n1))
		}
	}
	return sum
}

// times is n * x, and 0 for n = 0 even where x is infinite.
func times(n int64, x float64) float64 {
	if n == 0 {
		return 0
	}
	return float64(n) * x
}

// mixture adds up weighted likelihood ratios given by their logarithms.
type mixture struct{ terms []float64 }

func (m *mixture) add(weight, logRatio float64) {
	m.terms = append(m.terms, math.Log(weight)+logRatio)
}

// log is the logarithm of the sum; -Inf where every term is 0.
func (m *mixture) log() float64 {
	top := math.Inf(-1)
	for _, t := range m.terms {
		top = max(top, t)
	}
	if math.IsInf(top, 0) {
		return top
	}
	sum := 0.0
	for _, t := range m.terms {
		sum += math.Exp(t - top)
	}
	return top + math.Log(sum)
}
