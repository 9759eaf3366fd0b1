package live

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"heisen/reports"
	"heisen/reports/human"
	"heisen/reports/text"
	"heisen/stress"
	"heisen/stress/run"
)

// row is one line of the block. On a small terminal those of the highest rank go first.
type row struct {
	rank  int
	paint text.Paint
	text  string
}

// listedKinds is how many kinds of failure the block names.
const listedKinds = 5

// frame is the block: at most height-1 lines of at most width-1 columns, at least one line. It is a pure
// function of the figures.
func frame(p stress.Progress, r reports.Report, machine string, width, height int, style text.Style) []string {
	rows := []row{{0, text.Strong, head(p, r)}, {2, text.Plain, "  " + outcomes(r)}, rateRow(r)}
	if chaos := text.ChaosLine(r.Chaos); chaos != "" {
		rows = append(rows, row{3, text.Plain, "  " + chaos})
	}
	rows = append(rows, kinds(r)...)
	if slowest := slowestLine(p, r); slowest != "" {
		rows = append(rows, row{5, text.Plain, "  " + slowest})
	}
	if machine != "" {
		rows = append(rows, row{6, text.Plain, "  machine: " + machine})
	}
	rows = append(rows, row{3, text.Plain, "  " + endLine(p, r)})

	lines := []string{}
	for _, w := range fit(rows, max(1, height-1)) {
		lines = append(lines, style.Paint(w.paint, text.Cut(text.Escape(w.text), max(1, width-1))))
	}
	return lines
}

// fit drops the least important rows, of equal ones the last, until so many are left.
func fit(rows []row, limit int) []row {
	rows = slices.Clone(rows)
	for len(rows) > limit {
		worst := 0
		for i, w := range rows {
			if w.rank >= rows[worst].rank {
				worst = i
			}
		}
		rows = slices.Delete(rows, worst, worst+1)
	}
	return rows
}

func head(p stress.Progress, r reports.Report) string {
	done := human.Count(r.Attempts.Total)
	if p.Spec.Stop.Runs > 0 {
		done += " of " + human.Count(p.Spec.Stop.Runs)
	}
	return fmt.Sprintf("%s  %s attempts, %s, %d running", human.Elapsed(p.Elapsed), done, human.PerSecond(perSecond(p)), len(p.Running))
}

// perSecond is how many attempts this session finished a second.
func perSecond(p stress.Progress) float64 {
	if p.Session <= 0 {
		return 0
	}
	return float64(p.SessionDone) / p.Session.Seconds()
}

func outcomes(r reports.Report) string {
	var parts []string
	for _, o := range run.Outcomes() {
		if n := r.Attempts.ByOutcome[o]; n > 0 {
			parts = append(parts, o.String()+" "+human.Count(n))
		}
	}
	if r.Attempts.Leaked > 0 {
		parts = append(parts, "(leaked "+human.Count(r.Attempts.Leaked)+")")
	}
	var retried int64
	for _, n := range r.Retries {
		retried += n
	}
	if retried > 0 {
		parts = append(parts, "(tried again "+human.Count(retried)+")")
	}
	if len(parts) == 0 {
		return "no attempt finished yet"
	}
	return strings.Join(parts, "  ")
}

func rateRow(r reports.Report) row {
	w := row{1, text.Plain, "  " + text.OwnRateLine(r)}
	if n := len(r.Epochs); n > 1 {
		w.text += fmt.Sprintf(" in epoch %d", r.Epochs[n-1].Number)
	}
	if r.Rate.Failures > 0 {
		w.paint = text.Red
	}
	return w
}

func kinds(r reports.Report) []row {
	var rows []row
	for i, s := range r.Signatures {
		if i == listedKinds {
			more := human.Plural(int64(len(r.Signatures)-i), "more kind")
			return append(rows, row{4, text.Faint, "    " + more + " of failure"})
		}
		rows = append(rows, row{4, text.Plain, fmt.Sprintf("    %s×  %s", human.Count(s.Count), s.Title)})
	}
	return rows
}

func slowestLine(p stress.Progress, r reports.Report) string {
	if len(p.Running) == 0 {
		return ""
	}
	longest := p.Running[0]
	line := fmt.Sprintf("longest running: attempt %s, %s of %s", human.Count(longest.Attempt.Seq),
		human.Elapsed(longest.For), human.Duration(p.Timeout))
	if longest.Slow && r.Durations.Pass != nil {
		line += fmt.Sprintf(" (slow: the median is %s)", human.Duration(r.Durations.Pass.P50.Duration()))
	}
	return line
}

// endLine says what the campaign is up to when it is not simply running, else what ends it and when.
func endLine(p stress.Progress, r reports.Report) string {
	switch {
	case p.Stopping != "":
		return fmt.Sprintf("stopping (%s): %d still running; Ctrl-C stops them at once", text.Reason(p.Stopping), len(p.Running))
	case p.Paused:
		return "paused"
	case p.Waiting != "":
		return "waiting: " + p.Waiting
	}
	left := leftToDo(p, r)
	if len(left) == 0 {
		return "no end set; Ctrl-C to stop"
	}
	return "ends after " + strings.Join(left, " or ") + "; Ctrl-C to stop"
}

func leftToDo(p stress.Progress, r reports.Report) []string {
	var left []string
	rule := p.Spec.Stop
	if rule.Runs > 0 {
		runs := max(0, rule.Runs-r.Attempts.Total)
		part := human.Plural(runs, "more run")
		if rate := perSecond(p); rate > 0 {
			part += " (about " + human.Elapsed(time.Duration(float64(runs)/rate*float64(time.Second))) + ")"
		}
		left = append(left, part)
	}
	if rule.For > 0 {
		left = append(left, human.Elapsed(max(0, rule.For-p.Elapsed)))
	}
	if rule.Failures > 0 {
		left = append(left, human.Plural(max(0, rule.Failures-r.Attempts.Failures()), "more failure"))
	}
	return left
}

// Line is the state of a campaign on one line of a log.
func Line(p stress.Progress, r reports.Report) string {
	rate := "none judged"
	if r.Rate.Share != nil {
		rate = fmt.Sprintf("%s failed (%s %%; %s %%)", human.Count(r.Rate.Failures), human.Percent(*r.Rate.Share),
			human.Range(r.Rate.Low, r.Rate.High))
	}
	if n := len(r.Epochs); n > 1 {
		rate += fmt.Sprintf(" in epoch %d", r.Epochs[n-1].Number)
	}
	if chaos := text.ChaosLine(r.Chaos); chaos != "" {
		rate += " left alone, " + chaos
	}
	line := fmt.Sprintf("%s: %s, %s, %s, %d running", human.Elapsed(p.Elapsed), human.Plural(r.Attempts.Total, "attempt"),
		rate, human.PerSecond(perSecond(p)), len(p.Running))
	switch {
	case p.Stopping != "":
		line += ", stopping: " + text.Reason(p.Stopping)
	case p.Paused:
		line += ", paused"
	case p.Waiting != "":
		line += ", waiting: " + p.Waiting
	}
	return text.Escape(line)
}
