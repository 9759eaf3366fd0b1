package reports

import (
	"fmt"
	"maps"
	"slices"

	"heisen/reports/human"
	"heisen/stress/run"
)

// doubts lists what a reader must know before believing the figures, the gravest first.
func doubts(r *Report) []string {
	var list []string
	add := func(on bool, format string, args ...any) {
		if on {
			list = append(list, fmt.Sprintf(format, args...))
		}
	}
	add(r.Attempts.Total > 0 && r.Rate.Attempts == 0, "no attempt could be judged: there is no failure rate")
	for _, s := range r.Chaos.Idle() {
		add(true, "error: %s: its attempts were only traced; heisen doctor says what the machine allows, --max-hold and --chaos-budget what may be held", s.idleText())
	}
	add(len(r.Epochs) > 1, "the campaign has %d epochs (another command, program or flags): the rate is of the latest alone, other figures of all together",
		len(r.Epochs))
	add(r.State == CutOff, "heisen was killed or the machine went down: what was in flight is not counted")
	add(r.TimesCutOff > 0, "heisen was killed %s and resumed: attempts in flight ran again, and the time after the last record is not in the elapsed time",
		times(r.TimesCutOff))
	if s := r.Strays; s != nil {
		add(true, "processes that some attempt left behind and nobody can tell which, killed: %d, the last was %q; such attempts are not counted as leaked",
			s.Count, s.Last.Command)
	}
	list = append(list, notJudged(r)...)
	list = append(list, retried(r)...)
	add(r.Unlisted > 0, "%s more than are listed had signatures of their own: the test prints something new each time",
		human.Plural(r.Unlisted, "failure"))
	return list
}

// notJudged names attempts that ended in a way that says nothing about the test.
func notJudged(r *Report) []string {
	var list []string
	for _, c := range []struct {
		outcome run.Outcome
		what    string
	}{
		{run.Killed, "killed from outside on every try"},
		{run.OOM, "killed by the kernel because memory ran out"},
		{run.HarnessError, "spoilt by heisen or the machine"},
		{run.StartFailed, "not started: the command cannot be executed"},
	} {
		if n := r.Attempts.ByOutcome[c.outcome]; n > 0 {
			list = append(list, fmt.Sprintf("%s %s; not in the rate", wasOrWere(n), c.what))
		}
	}
	for _, o := range sorted(r.Attempts.ByOutcome) {
		if !o.Valid() {
			list = append(list, fmt.Sprintf("%s ended in %q, which this heisen does not know; not in the rate",
				human.Plural(r.Attempts.ByOutcome[o], "attempt"), string(o)))
		}
	}
	return list
}

// retried names tries that were thrown away.
func retried(r *Report) []string {
	var list []string
	for _, o := range sorted(r.Retries) {
		why := o.String()
		switch o {
		case run.Killed:
			why = "killed from outside"
		case run.HarnessError:
			why = "spoilt by heisen or the machine"
		}
		tries := "1 try was"
		if n := r.Retries[o]; n != 1 {
			tries = human.Count(n) + " tries were"
		}
		list = append(list, fmt.Sprintf("%s %s and not counted: the attempt ran again", tries, why))
	}
	return list
}

func sorted(counts map[run.Outcome]int64) []run.Outcome {
	return slices.Sorted(maps.Keys(counts))
}

func wasOrWere(n int64) string {
	if n == 1 {
		return "1 attempt was"
	}
	return human.Count(n) + " attempts were"
}

func times(n int) string {
	switch n {
	case 1:
		return "once"
	case 2:
		return "twice"
	}
	return fmt.Sprintf("%d times", n)
}
