package reports

import (
	"maps"
	"path/filepath"
	"time"

	"heisen/stress/interleave"
	"heisen/stress/run"
	"heisen/stress/stats"
	"heisen/stress/tally"
)

// Facts are what a tally cannot know about its campaign.
type Facts struct {
	// Dir is the campaign's folder, absolute.
	Dir string
	// Running tells that some heisen has the campaign open now.
	Running bool
	// Compare asks for the starvation verdicts, which take tens of milliseconds; a live view goes without.
	Compare bool
	// Interleavings are the sampled orders of failing and passing attempts; nil for none.
	Interleavings *interleave.Sample
	// Elapsed is how long all sessions ran, as the engine knows it while it runs; 0 to take it from the
	// records.
	Elapsed time.Duration
}

// Build derives every figure of a campaign. The tally is only read, and the report shares nothing with it.
func Build(t *tally.Tally, f Facts) Report {
	began, latest := t.Began()
	r := Report{
		SchemaVersion: SchemaVersion,
		ID:            t.Campaign(), Dir: f.Dir,
		Command: list(latest.Spec.Command.Args), WorkDir: latest.Spec.Command.Dir,
		Version: latest.Version, NotCollected: maps.Clone(latest.NotCollected),
		Began: began, LastSeen: t.LastSeen(),
		Sessions: latest.Session, TimesCutOff: t.CutOff(),
		Elapsed: Seconds(f.Elapsed),
		Width:   latest.Spec.Width, Seed: latest.Spec.Seed,
		Stop: Limits{Runs: latest.Spec.Stop.Runs, For: Seconds(latest.Spec.Stop.For),
			Failures: latest.Spec.Stop.Failures},
		Attempts:      countAttempts(t.Counts(), cancelled(t)),
		Rate:          RateOf(t.Current().Plain()),
		Chaos:         chaosOf(t),
		Retries:       t.Retries(),
		MachineFaults: t.Machine(), Strays: t.Strays(),
		Durations:     Durations{Pass: quantiles(t.PassTimes()), Fail: quantiles(t.FailTimes())},
		Unlisted:      t.Unlisted(),
		KeptPasses:    within(f.Dir, t.Passes()),
		Signatures:    signatures(t, f.Dir),
		Epochs:        epochs(t),
		Interleavings: interleavings(t.Census()),
		Variants:      variants(t.Census(), f.Dir),
	}
	r.State, r.StopReason, r.StopDetail = state(t, f.Running)
	if latest.Session > 0 {
		tier := latest.Tier
		r.Tier, r.Timeout = &tier, timeout(t, latest.Spec.Timeout)
	}
	if f.Elapsed == 0 {
		r.Elapsed = Seconds(t.Elapsed())
	}
	r.PerSecond = perSecond(t.Counts().Total(), r.Elapsed.Duration())
	if f.Compare {
		r.Starvation = starvation(t, latest.NotCollected)
		if f.Interleavings != nil && f.Interleavings.Epoch == t.Census().Epoch {
			r.Divergence = Compare(f.Interleavings, t.Signatures())
		}
	}
	if best := within(f.Dir, []string{explainable(t, r.Chaos)}); len(best) > 0 {
		r.Explain = best[0]
	}
	r.Doubts = doubts(&r)
	return r
}

// RateOf is the failure rate behind counts, which must be of one epoch and of attempts alike: left alone, or of one
// strategy.
func RateOf(c tally.Counts) Rate {
	k, n := c.Failures(), c.Judged()
	in := stats.ClopperPearson(k, n, stats.Confidence)
	r := Rate{Failures: k, Attempts: n, Low: in.Low, High: in.High, Confidence: stats.Confidence}
	if n > 0 {
		share := float64(k) / float64(n)
		r.Share = &share
	}
	return r
}

func cancelled(t *tally.Tally) int64 {
	if end := t.Ended(); end != nil {
		return end.Cancelled
	}
	return 0
}

func state(t *tally.Tally, running bool) (State, run.StopReason, string) {
	_, latest := t.Began()
	end := t.Ended()
	switch {
	case running:
		return Running, "", ""
	case latest.Session == 0:
		return Empty, "", ""
	case end == nil:
		return CutOff, "", ""
	}
	switch end.Reason {
	case run.ReasonRuns, run.ReasonTime, run.ReasonFailures, run.ReasonDecided:
		return Finished, end.Reason, end.Detail
	case run.ReasonInterrupted:
		return Interrupted, end.Reason, end.Detail
	}
	return Stopped, end.Reason, end.Detail
}

func timeout(t *tally.Tally, policy run.TimeoutPolicy) *Timeout {
	set := t.Timeout()
	switch {
	case !policy.Auto():
		return &Timeout{Limit: Seconds(policy.Fixed), Settled: true}
	case set == nil:
		return &Timeout{Limit: Seconds(policy.At(0, 0)), Auto: true}
	}
	return &Timeout{Limit: Seconds(set.Timeout), Auto: true, Settled: true, Passes: set.Passes}
}

func perSecond(done int64, elapsed time.Duration) *float64 {
	if elapsed <= 0 {
		return nil
	}
	rate := float64(done) / elapsed.Seconds()
	return &rate
}

func quantiles(q tally.Quantiles) *Quantiles {
	if q.Count == 0 {
		return nil
	}
	return &Quantiles{Count: q.Count, P50: Seconds(q.P50), P90: Seconds(q.P90), P99: Seconds(q.P99), Max: Seconds(q.Max)}
}

// list copies texts; JSON shows no texts as an empty list, not as null.
func list(texts []string) []string { return append([]string{}, texts...) }

func epochs(t *tally.Tally) []Epoch {
	all := []Epoch{}
	for _, e := range t.Epochs() {
		all = append(all, Epoch{Number: e.Number, Command: list(e.Spec.Command.Args),
			Attempts: countAttempts(e.Counts, 0), Rate: RateOf(e.Counts.Plain())})
	}
	return all
}

func signatures(t *tally.Tally, dir string) []Signature {
	all := []Signature{}
	for _, s := range t.Signatures() {
		all = append(all, Signature{ID: s.ID, Title: s.Title, Count: s.Count, First: s.First, Last: s.Last,
			Epoch: s.Epoch, ByOutcome: s.ByOutcome, Bundles: within(dir, s.Bundles)})
	}
	return all
}

// within makes folders of the records absolute. A record that points out of the campaign is not followed:
// the folder may have come from a stranger.
func within(dir string, folders []string) []string {
	list := make([]string, 0, len(folders))
	for _, name := range folders {
		if filepath.IsLocal(name) {
			list = append(list, filepath.Join(dir, name))
		}
	}
	return list
}
