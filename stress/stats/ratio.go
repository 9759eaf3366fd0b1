package stats

import "math"

// Arms are the counts of one stratum (one plan, one kind of load): attempts and failures of the program
// before and after a change. Failures are never more than attempts.
type Arms struct {
	Before, BeforeFailed int64
	After, AfterFailed   int64
}

// FellBelow is the evidence that the failure rate after a change is less than ratio (0 < ratio <= 1) times the
// rate before it: the logarithm of an e-value against the hypothesis "in every stratum after >= ratio * before",
// whatever the rates before are. alpha (0 < alpha < 1) tunes it for a decision at log(1/alpha), and any other
// threshold is as valid.
//
// While the hypothesis holds, the chance that it ever reaches log(1/alpha) is at most alpha, however often it is
// read and whenever one stops adding attempts after the change (Ville's inequality). The attempts before must be
// there first and must have been ended by a number of attempts, a time or a number of failures that was fixed
// beforehand. It is -Inf where nothing failed before.
//
// Each of a few alternatives is a likelihood ratio: "the rate after is not ratio but tau * ratio times the one
// before", tau < 1, put against the hypothesis at the rates before that fit it best. The e-value is their mixture.
//
// Source: A. Wald, Sequential Analysis (1947), section 3; J. Ville (1939); H. Robbins, Annals of Mathematical
// Statistics 41 (1970), 1397-1409, for the mixture; P. Grünwald, R. de Heide and W. Koolen, "Safe testing",
// Journal of the Royal Statistical Society B 86 (2024), 1091-1128, for composite hypotheses.
func FellBelow(strata []Arms, ratio, alpha float64) float64 {
	var failed int64
	for _, s := range strata {
		failed += s.BeforeFailed
	}
	if failed == 0 {
		return math.Inf(-1) // what never failed before cannot fall
	}
	var mix mixture
	for _, a := range fallen {
		c := margin * math.Log(1/(alpha*a.weight)) * a.late
		mix.add(a.weight, leastFavourable(strata, ratio, tilt(a.tau, matched(c/float64(failed), a.tau))))
	}
	return mix.log()
}

// fallen are the alternatives of FellBelow. No failure at all carries much of the weight: it is what a real fix
// shows. The others allow for a decision that comes later than it might, after a few unlucky failures.
var fallen = [...]struct{ weight, tau, late float64 }{
	{0.4, 0, 1}, {0.15, 0.1, 1}, {0.15, 0.1, 1.6}, {0.15, 0.35, 1}, {0.15, 0.35, 1.6},
}

// margin keeps an alternative that only just reaches the threshold from being lost to rounding.
const margin = 1.02

// StayedAbove is the evidence that the failure rate after a change is more than ratio (0 < ratio <= 1) times the
// rate before it: the logarithm of evidence against "in every stratum after <= ratio * before", which that hypothesis lets
// reach log(1/alpha) with a chance of at most alpha, however often it is read. It is 0 where nothing failed before.
//
// Each alternative says that the rate after is tau * ratio times the one before, tau > 1, and is put against tau = 1 with the
// rate before integrated out, by the prior 1/rate that is the same on every scale: what is left depends on the ratio alone. So
// an alternative is as good as it can be at any number of attempts, and few are needed. Where the baseline was ended by a
// number of failures the evidence is a martingale whatever the rate is (rare failures; others vary less); where a
// time or a number of attempts ended it, that holds on the average over rates only, and a simulation holds it to its error
// rates (TestStayedAboveErrorsWhileOneLooks).
//
// Source: M. F. Pérez-Ortiz, T. Lardy, R. de Heide and P. Grünwald, "E-statistics, group invariance and anytime-valid
// testing", Annals of Statistics 52 (2024), 1410-1432, for the prior; Robbins (1970) for the mixture.
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
// before integrated out.
func invariant(strata []Arms, ratio, tau float64) float64 {
	sum := 0.0
	for _, s := range strata {
		if s.BeforeFailed == 0 {
			continue // nothing is known of its rate
		}
		n0, n1 := float64(s.Before), ratio*float64(s.After)
		sum += float64(s.AfterFailed)*math.Log(tau) + float64(s.BeforeFailed+s.AfterFailed)*math.Log((n0+n1)/(n0+tau*n1))
	}
	return sum
}

// tilted is an alternative to one rate p before and ratio * p after: the odds of failing before times theta,
// those after times rho.
type tilted struct{ theta, rho float64 }

// tilt returns the best alternative with rho/theta = tau once x failures after are expected by the hypothesis for
// each one before: the hypothesis that fits best then has as many failures in all.
func tilt(tau, x float64) tilted {
	theta := (1 + x) / (1 + x*tau)
	return tilted{theta: theta, rho: tau * theta}
}

// matched returns the x at which an alternative tau < 1 makes the evidence want, per failure before, if it is true:
// there nothing is lost to the uncertainty of the rate before. Where none does, it is one that nearly makes the most.
//
// So the alternative depends on how many failures there were before. The expected likelihood ratio is 1 for a
// number of failures that was fixed beforehand, and below 1 for a fixed number of attempts, because theta falls as
// failures grow; a test sums it up for rates and sizes.
func matched(want, tau float64) float64 {
	if tau == 0 {
		return math.Expm1(want)
	}
	gain := func(x float64) float64 {
		t := tilt(tau, x)
		return math.Log(t.theta) + tau*x*math.Log(t.rho)
	}
	const most = 30
	low, high := 0.0, most/tau
	if gain(high) <= want {
		return high
	}
	for range 60 {
		if mid := (low + high) / 2; gain(mid) < want {
			low = mid
		} else {
			high = mid
		}
	}
	return high
}

// leastFavourable is the log likelihood ratio of an alternative against "the rate before is p, the one after is
// ratio * p", at the p of each stratum that makes it least. theta and rho lie on different sides of 1. As a function
// of p it is convex, so the least is where its derivative vanishes.
func leastFavourable(strata []Arms, ratio float64, by tilted) float64 {
	a, b := by.theta-1, ratio*(by.rho-1)
	sum := 0.0
	for _, s := range strata {
		n0, n1 := float64(s.Before), float64(s.After)
		if n0+n1 == 0 {
			continue
		}
		p := min(max(-(n0*a+n1*b)/(a*b*(n0+n1)), 0), 1)
		sum += times(s.BeforeFailed, math.Log(by.theta)) + times(s.AfterFailed, math.Log(by.rho)) -
			times(s.Before, math.Log1p(p*a)) - times(s.After, math.Log1p(p*b))
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
