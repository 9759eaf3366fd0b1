package doctor

import (
	"context"
	"fmt"
	"time"
)

// State is how far the machine gives what a check asks for.
type State string

const (
	// OK is all that heisen can use.
	OK State = "ok"
	// Lesser is something that works with less: slower, narrower or less precise.
	Lesser State = "lesser"
	// Missing is something heisen does without.
	Missing State = "missing"
)

// Check is one thing heisen uses and what this machine gives of it. Lost and Remedy are empty where the
// state is OK.
type Check struct {
	Name  string `json:"name"`
	State State  `json:"state"`
	// Found says what the probe saw, with the numbers that matter.
	Found string `json:"found"`
	// Lost says what heisen cannot do, or does worse, because of it.
	Lost string `json:"lost,omitempty"`
	// Remedy says how to get it.
	Remedy string `json:"remedy,omitempty"`
}

// Supervision is what the supervisor of processes says of itself: the way it can confine an attempt here.
type Supervision struct {
	// Tier names it, strongest way first in the documentation: "cgroup", "process group and subreaper".
	Tier string
	// Full tells that nothing is lost with this tier.
	Full bool
	// Lacks lists what the tier cannot do, each in a few words.
	Lacks []string
	// Remedy says how to get a better tier; empty where nothing is known.
	Remedy string
}

// Input is what Examine needs to be told.
type Input struct {
	// Supervision is nil where the supervisor was not asked; the check is left out then.
	Supervision *Supervision
	// DebugRegisters tells why the processor's debug registers stop no thread here, nil where they do. Without it the check is
	// left out.
	DebugRegisters func() error
	// TempDir is where attempts get their private folders.
	TempDir string
	// Width is the -j to check limits against; 0 means the default width of this machine.
	Width int
	// Limit is the most time one probe may take; 0 means five seconds.
	Limit time.Duration
}

// Machine is what the figures of a report belong to.
type Machine struct {
	System    string `json:"system"`
	Arch      string `json:"arch"`
	Resources        // CPUs, memory, descriptors, processes
}

// Report is everything found, in the order in which it is shown.
type Report struct {
	Machine Machine `json:"machine"`
	// Width is the default for -j, and Why what bounded it.
	Width  int     `json:"default_width"`
	Why    string  `json:"default_width_why"`
	Checks []Check `json:"checks"`
}

const defaultLimit = 5 * time.Second

// probe is one check not made yet.
type probe struct {
	name string
	look func() Check
}

// Examine makes every check in turn. It takes a fraction of a second on a healthy machine, and at most
// Input.Limit for each check on a sick one; a cancelled context ends it early with the checks made so far.
func Examine(ctx context.Context, in Input) Report {
	if in.Limit <= 0 {
		in.Limit = defaultLimit
	}
	report := Report{Machine: machine()}
	report.Width, report.Why = report.Machine.Resources.DefaultWidth()
	if in.Width <= 0 {
		in.Width = report.Width
	}
	if in.Supervision != nil {
		report.Checks = append(report.Checks, supervision(*in.Supervision))
	}
	all := probes(in)
	if in.DebugRegisters != nil {
		all = append(all, probe{"debug registers", func() Check { return debugRegisters(in.DebugRegisters()) }})
	}
	for _, p := range all {
		if ctx.Err() != nil {
			break
		}
		report.Checks = append(report.Checks, within(ctx, in.Limit, p))
	}
	return report
}

// within runs one probe and gives up on it when its time is over. The goroutine of a probe that hangs in
// the kernel is left to it: there is no way to take it back.
func within(ctx context.Context, limit time.Duration, p probe) Check {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	answer := make(chan Check, 1)
	go func() { answer <- p.look() }()
	select {
	case c := <-answer:
		c.Name = p.name
		return c
	case <-ctx.Done():
		return Check{
			Name:   p.name,
			State:  Missing,
			Found:  fmt.Sprintf("the probe did not answer within %v", limit),
			Lost:   "unknown: heisen tries it all the same",
			Remedy: "run heisen doctor again when the machine is less busy",
		}
	}
}

func debugRegisters(why error) Check {
	if why == nil {
		return Check{State: OK, Found: "a thread stops at an instruction that one names"}
	}
	return Check{State: Lesser, Found: why.Error(),
		Lost:   "breakpoints are written into the test's code: each stop costs two, and a thread may slip by while another one goes on",
		Remedy: "a machine, or a hypervisor, that gives them"}
}

func supervision(s Supervision) Check {
	c := Check{Name: "supervision", State: OK, Found: "tier: " + s.Tier}
	if s.Full && len(s.Lacks) == 0 {
		return c
	}
	c.State = Lesser
	c.Lost = list(s.Lacks)
	c.Remedy = s.Remedy
	if s.Tier == "" {
		c.State, c.Found = Missing, "no way to supervise processes was found"
	}
	return c
}
