package conductor

import (
	"strings"
	"sync"

	"heisen/stress/chaos"
	"heisen/stress/chaos/code"
	"heisen/stress/run"
)

// Scouts know the programs of a campaign's attempts. They are safe for concurrent use.
type Scouts struct {
	// Command is what an attempt runs that has no command of its own.
	Command func(a run.Attempt) run.Command
	// Seed is the campaign's.
	Seed uint64

	mu   sync.Mutex
	seen map[string]found
}

// found is a scout, or why there is none.
type found struct {
	scout *scout
	err   error
}

// Check tells why breakpoints cannot be set in what a command runs, nil where they can.
func (s *Scouts) Check(command run.Command) error { return s.of(command).err }

// of reads a command's program once.
func (s *Scouts) of(command run.Command) found {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := strings.Join(append([]string{command.Path, command.Dir}, command.Args...), "\x00")
	f, known := s.seen[key]
	if known {
		return f
	}
	program, err := code.Find(command.Path, command.Args, command.Dir)
	if err != nil {
		f.err = err
	} else {
		f.scout = newScout(program, s.Seed)
	}
	if s.seen == nil {
		s.seen = map[string]found{}
	}
	s.seen[key] = f
	return f
}

// forAttempt is the scout of an attempt's program, or why there is none.
func (s *Scouts) forAttempt(a run.Attempt) (*scout, error) {
	command := s.Command
	if a.Instead != nil {
		f := s.of(*a.Instead)
		return f.scout, f.err
	}
	f := s.of(command(a))
	return f.scout, f.err
}

// aim draws the breakpoints of an attempt's plan, or finds those of a recorded one in the attempt's own program.
func (c *Conductor) aim(a run.Attempt, plan *chaos.Plan) *scout {
	recorded := plan.Replay && len(plan.Breakpoints) > 0
	if c.cfg.Scouts == nil || !recorded && plan.Strategy != chaos.AtBreakpoints {
		return nil
	}
	s, err := c.cfg.Scouts.forAttempt(a)
	switch {
	case err != nil && recorded:
		c.notice("no thread can be held at the plan's breakpoints: %s", err)
		plan.Breakpoints = nil
	case err != nil:
		c.leaveOut(plan.Strategy, err.Error())
	case recorded:
		if lost := s.translate(plan); len(lost) > 0 {
			c.notice("the program has no such place, where the plan holds threads: %s", strings.Join(lost, ", "))
		}
		return nil
	default:
		s.arrange(plan)
		return s
	}
	return nil
}
