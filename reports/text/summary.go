package text

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"

	"heisen/reports"
	"heisen/reports/human"
	"heisen/stress/run"
)

// listedSignatures is how many kinds of failure the summary shows; JSON has them all.
const listedSignatures = 8

// Summary writes what `hunt` prints at its end and `show CAMPAIGN` prints at any time: one screen.
func Summary(w io.Writer, r reports.Report, s Style) error {
	p := &printer{w: w, style: s}
	p.head(r)
	p.outcomes(r)
	p.durations(r.Durations)
	p.chaos(r.Chaos)
	p.starvation(r.Starvation)
	p.interleavings(r)
	p.signatures(r)
	p.doubts(r)
	p.soak(r.Soak)
	p.next(r)
	return p.err
}

// soak says what was shown, in whole sentences, each a line of its own for scripts.
func (p *printer) soak(s *reports.Soak) {
	if s == nil {
		return
	}
	p.blank()
	for _, line := range s.Lines() {
		p.copyable("%s", line)
	}
}

func (p *printer) head(r reports.Report) {
	p.line(Strong, "%s  %s", cmp.Or(r.ID, filepath.Base(r.Dir)), stateLine(r))
	if len(r.Command) > 0 {
		p.copyable("  command   %s", QuoteAll(r.Command))
	}
	p.copyable("  folder    %s", r.Dir)
	if r.State == reports.Empty {
		return
	}
	p.line(Plain, "  time      %s", timeLine(r))
	if r.Timeout != nil {
		p.line(Plain, "  time-out  %s", timeoutLine(r.Timeout))
	}
	if r.Tier != nil {
		p.line(Plain, "  tier      %s", r.Tier.Name)
		for _, lack := range r.Tier.Lacks {
			p.line(Plain, "            lacks: %s", lack)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.NotCollected)) {
		p.line(Plain, "            not collected: %s: %s", name, r.NotCollected[name])
	}
	p.blank()
	paint := Strong
	if r.Attempts.Failures() > 0 {
		paint = Red
	}
	p.raw(p.style.Paint(paint, Escape(OwnRateLine(r)))) // the one line that is never cut
	if failures, attempts := r.Chaos.Disturbed(); attempts > 0 {
		p.line(Plain, "under chaos %s of %s failed: no part of that rate, see below", human.Count(failures), human.Count(attempts))
	}
	if len(r.Epochs) > 1 {
		p.otherEpochs(r)
	}
}

func timeLine(r reports.Report) string {
	line := human.Elapsed(r.Elapsed.Duration())
	if r.Sessions > 1 {
		line += fmt.Sprintf(" in %d sessions", r.Sessions)
	}
	if r.PerSecond != nil {
		line += ", " + human.PerSecond(*r.PerSecond)
	}
	return line + fmt.Sprintf(", %d at once", r.Width)
}

func (p *printer) otherEpochs(r reports.Report) {
	last := len(r.Epochs) - 1
	p.line(Yellow, "  in epoch %d alone: another command, program or flags ran before", r.Epochs[last].Number)
	for _, e := range slices.Backward(r.Epochs[:last]) {
		p.line(Plain, "  epoch %d: %s  %s", e.Number, RateLine(e.Rate), QuoteAll(e.Command))
	}
}

// outcomes writes the counts that are not zero, with their share of the total.
func (p *printer) outcomes(r reports.Report) {
	if r.Attempts.Total == 0 {
		return
	}
	p.blank()
	width := len(human.Count(r.Attempts.Total))
	row := func(name string, n int64, note string) {
		p.line(Plain, "  %s %s  %s", padRight(name, 14), padLeft(human.Count(n), width), note)
	}
	share := func(n int64) string {
		return padLeft(human.Percent(float64(n)/float64(r.Attempts.Total)), 7) + " %"
	}
	for _, o := range OutcomesSeen(r.Attempts) {
		note := share(r.Attempts.ByOutcome[o])
		if o == run.Cancelled {
			note += "  unfinished; a resume runs them again"
		}
		row(o.String(), r.Attempts.ByOutcome[o], note)
	}
	row("total", r.Attempts.Total, "")
	if r.Attempts.Leaked > 0 {
		row("leaked", r.Attempts.Leaked, "left processes or open pipes behind, whatever the outcome")
	}
}

// OutcomesSeen lists what happened in the usual order, and after it what this heisen does not know.
func OutcomesSeen(a reports.Attempts) []run.Outcome {
	list := run.Outcomes()
	for _, o := range slices.Sorted(maps.Keys(a.ByOutcome)) {
		if !o.Valid() {
			list = append(list, o)
		}
	}
	return slices.DeleteFunc(list, func(o run.Outcome) bool { return a.ByOutcome[o] == 0 })
}

func (p *printer) durations(d reports.Durations) {
	if d.Pass == nil && d.Fail == nil {
		return
	}
	p.blank()
	cells := func(name string, rest ...string) {
		line := "  " + padRight(name, 14)
		for _, c := range rest {
			line += padLeft(c, 9)
		}
		p.line(Plain, "%s", line)
	}
	cells("wall time", "p50", "p90", "p99", "max")
	for _, row := range []struct {
		name string
		q    *reports.Quantiles
	}{{"passed", d.Pass}, {"failed", d.Fail}} {
		if row.q != nil {
			cells(row.name, human.Duration(row.q.P50.Duration()), human.Duration(row.q.P90.Duration()),
				human.Duration(row.q.P99.Duration()), human.Duration(row.q.Max.Duration()))
		}
	}
}

func (p *printer) signatures(r reports.Report) {
	if len(r.Signatures) == 0 {
		return
	}
	var all int64
	for _, s := range r.Signatures {
		all += s.Count
	}
	all += r.Unlisted
	p.blank()
	p.line(Plain, "Kinds of failure, the most frequent first:")
	for i, s := range r.Signatures {
		if i == listedSignatures {
			p.line(Plain, "  and %s more: heisen show --json %s lists them", human.Plural(int64(len(r.Signatures)-i), "kind"), Quote(r.Dir))
			break
		}
		p.line(Strong, "  %s  %s %%  %s", padLeft(human.Count(s.Count), len(human.Count(r.Signatures[0].Count))),
			padLeft(human.Percent(float64(s.Count)/float64(all)), 3), cmp.Or(s.Title, s.ID))
		if len(s.Bundles) > 0 {
			p.copyable("      heisen show %s", Quote(s.Bundles[0]))
		} else {
			p.line(Faint, "      no bundle kept; first seen in attempt %s", human.Count(s.First))
		}
		if r.Starvation != nil && r.Starvation.BySignature[s.ID].Sentence != "" {
			p.line(Plain, "      %s", r.Starvation.BySignature[s.ID].Sentence)
		}
		if r.Divergence != nil && r.Divergence.BySignature[s.ID] != nil {
			p.copyable("      %s", r.Divergence.BySignature[s.ID].Sentence)
		}
	}
}

// starvation answers the first question about a rare failure: was it the CPU?
func (p *printer) starvation(s *reports.Starvation) {
	if s == nil {
		return
	}
	p.blank()
	p.line(Plain, "Was it the CPU? %s", s.Sentence)
}

func (p *printer) doubts(r reports.Report) {
	if len(r.Doubts)+len(r.MachineFaults) == 0 {
		return
	}
	p.blank()
	p.line(Plain, "Mind:")
	for _, d := range r.Doubts {
		p.item(Yellow, d)
	}
	for _, fault := range slices.Sorted(maps.Keys(r.MachineFaults)) {
		p.item(Yellow, fmt.Sprintf("the machine's fault, met %s: %s", human.Plural(r.MachineFaults[fault], "time"), fault))
	}
}

// next says how to go on, where there is something to go on with.
func (p *printer) next(r reports.Report) {
	if r.Explain != "" {
		p.blank()
		p.copyable("Explain:  heisen repro --explain %s", Quote(r.Explain))
	}
	switch r.State {
	case reports.Interrupted, reports.CutOff, reports.Stopped:
		p.blank()
		p.copyable("Go on:    heisen %s --resume %s", cmp.Or(r.Resume, "hunt"), Quote(r.Dir))
	}
}
