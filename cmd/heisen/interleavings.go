package main

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"heisen/stress/interleave/sched"
	"heisen/stress/run"
)

// What --sched may be.
const (
	schedOn   = "on"
	schedAuto = "auto"
	schedOff  = "off"
)

func applySched(c *cli.Context, s *run.Spec) error {
	modes := []string{schedOn, schedAuto, schedOff}
	if !slices.Contains(modes, c.String(flagSched)) {
		return usagef("--%s %q: give one of %s", flagSched, c.String(flagSched), strings.Join(modes, ", "))
	}
	s.Sched = c.String(flagSched)
	return nil
}

// openRecorder has the scheduler's own record taken where the user wants it and the machine gives it; where
// it does not, the signals say why. Who asked for it of every attempt is told at once.
func (s *session) openRecorder() error {
	spec := s.plan.spec
	switch {
	case spec.Sched == schedOff:
		s.noRecord = "switched off (--sched off)"
		return nil
	case spec.Sched != schedOn && !spec.Signals:
		return nil
	}
	recorder, err := sched.Open(sched.Config{})
	switch {
	case err != nil && spec.Sched == schedOn:
		return err
	case err != nil:
		s.noRecord = err.Error()
		return nil
	}
	s.closeLater(recorder.Close)
	most := sched.PerSecond
	if spec.Sched == schedOn {
		most = 0
	}
	s.recorder, s.recorded = recorder, sched.NewAttempts(recorder, most)
	return nil
}
