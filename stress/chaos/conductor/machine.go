package conductor

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"heisen/stress/mix"
	"heisen/stress/run"
)

// Crowd keeps CPUs busy beside an attempt.
type Crowd interface {
	// CPUs are those it can make busy.
	CPUs() []int
	// Enter has so many hogs compute on each of these CPUs until leave is called.
	Enter(cpus []int, each int) (leave func(), err error)
}

// Hogs beside an attempt of weak and of load, on each CPU it may use.
const (
	WeakHogs = 3
	LoadHogs = 1
)

// surroundings is what an attempt of the machine's side gets.
type surroundings struct {
	cpus []int // it may run on these only
	hogs int   // so many on each of them
	slow int   // it has at least 1/slow of the time it would have alone
}

// taken is the CPU time the hogs used up beside an attempt, at most: without it a strategy would seem cheap that
// slows every other attempt down.
func (in surroundings) taken(wall time.Duration) time.Duration {
	return wall * time.Duration(len(in.cpus)*in.hogs) / time.Duration(1+in.hogs)
}

// surround draws the surroundings of one attempt. pin: all threads share one CPU, so that only the scheduler's
// choice makes them overlap. load: every CPU it may use has a hog. weak: one CPU, with several hogs.
func surround(strategy string, seed uint64, cpus []int) surroundings {
	one := []int{cpus[seed%uint64(len(cpus))]}
	switch strategy {
	case mix.Load:
		return surroundings{cpus: cpus, hogs: LoadHogs, slow: 1 + LoadHogs}
	case mix.Weak:
		return surroundings{cpus: one, hogs: WeakHogs, slow: (1 + WeakHogs) * len(cpus)}
	}
	return surroundings{cpus: one, slow: len(cpus)}
}

// confined runs an attempt in surroundings of the machine's side.
func (c *Conductor) confined(a run.Attempt, ctl *run.Control, strategy string) run.Result {
	cpus := c.cfg.Crowd.CPUs()
	if len(cpus) == 0 {
		c.leaveOut(strategy, "the CPUs that may be used are not known")
		return c.inner.Run(a, ctl)
	}
	in := surround(strategy, run.SeedFor(a.Seed, int64(a.Try)), cpus)
	leave, err := c.cfg.Crowd.Enter(in.cpus, in.hogs)
	if err != nil {
		c.leaveOut(strategy, err.Error())
		return c.inner.Run(a, ctl)
	}
	defer leave()
	dir := filepath.Join(c.cfg.Dir, strconv.Itoa(a.Slot))
	refusal := filepath.Join(dir, reportName)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return notRun(err)
	}
	if err := os.RemoveAll(refusal); err != nil {
		return notRun(err)
	}
	a.Wrap = slices.Concat(c.cfg.Confine, []string{refusal, cpuList(in.cpus)})
	extra, _ := c.budget()
	res := c.run(a, ctl, func(t time.Duration) time.Duration { return t*time.Duration(in.slow) + extra })
	if errno, why := readRefusal(refusal); why != "" {
		res.Ending = run.Ending{Harness: why}
		if errno != 0 {
			res.Ending.Harness = ""
			notStarted(&res, errno)
		} else {
			c.leaveOut(strategy, why)
		}
		return res
	}
	if e := &res.Ending; e.StartError == nil && e.Machine == "" && e.Harness == "" && !e.Stopped {
		res.Evidence.Chaos = &run.Chaos{Strategy: strategy, Tracer: in.taken(res.Wall).Microseconds()}
		withoutDelays(&res, "the machine was made slower on purpose")
		withoutSched(&res)
	}
	return res
}

// leaveOut gives a strategy up and says so.
func (c *Conductor) leaveOut(strategy, why string) {
	c.cfg.Mixer.Drop(strategy)
	c.notice("%s does not work here and is left out: %s", strategy, why)
}

func cpuList(cpus []int) string {
	texts := make([]string, len(cpus))
	for i, cpu := range cpus {
		texts[i] = strconv.Itoa(cpu)
	}
	return strings.Join(texts, ",")
}

// readRefusal tells why Confine could not execute the test; errno is 0 where it could not even confine it.
func readRefusal(path string) (errno syscall.Errno, why string) {
	data, err := os.ReadFile(path)
	if err != nil || len(data) == 0 {
		return 0, "" // it did its work: then it writes nothing
	}
	number, text, _ := strings.Cut(string(data[:min(len(data), mostText)]), " ")
	n, err := strconv.Atoi(number)
	if err != nil || n < 0 || n > 4095 {
		return 0, "confining it failed, and said nothing that can be read"
	}
	return syscall.Errno(n), "confine the attempt: " + text
}

func writeRefusal(path string, errno syscall.Errno, why error) error {
	if err := os.WriteFile(path, []byte(fmt.Sprintf("%d %s", int(errno), why)), 0o600); err != nil {
		return fmt.Errorf("%w (and could not tell: %w)", why, err)
	}
	return why
}
