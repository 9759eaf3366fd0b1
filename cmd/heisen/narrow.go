package main

import (
	"context"
	"fmt"
	"runtime"

	"heisen/repro/minimize"
	"heisen/stress/run"
)

// narrow decides, before anything else is asked, whether fewer attempts at once do as well from then on: where they have
// used up all CPUs, these end as soon, are looked at sooner and take less CPU time each. What was seen of the whole plan counts
// either way.
func (j *reproJob) narrow(ctx context.Context) error {
	const (
		perCPU = 2 // while one is held, another one goes on
		asked  = 8
		judged = 6   // of them at least
		as     = 0.8 // times the rate it had
	)
	s, t := &j.state, j.trier()
	s.Cut = &minimize.State{Full: s.Replayed}
	few := perCPU * runtime.NumCPU()
	if t.Width <= few || !crowded(t.Width, runtime.NumCPU(), s.CPU, s.Wall) {
		return nil
	}
	j.session.view.Emit(run.Noticed{Text: fmt.Sprintf("minimising: whether %d at once do, since %d only wait for each other's CPUs", few, t.Width)})
	t.Width = few
	whole := t.Whole()
	answers, err := t.Run(ctx, whole, t.OrderOf(whole), asked)
	if err != nil {
		return err
	}
	seen := t.Count(answers)
	s.Cut.Spent = seen.Attempts
	if seen.Attempts >= judged && seen.Share() >= as*s.Replayed.Share() {
		s.Narrow, s.Cut.Full = few, seen
	}
	return j.state.save(j.session.folder)
}

// crowded tells whether attempts that computed and took so long in all, in the same unit, used up the CPUs.
func crowded(width, cpus int, cpu, wall int64) bool {
	const used = 0.75
	return float64(width)*float64(cpu) >= used*float64(cpus)*float64(wall) && wall > 0
}
