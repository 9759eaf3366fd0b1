package conductor

import (
	"fmt"
	"sync"
)

// Hogs are processes that compute until they are paused; strain.Hogs are some.
type Hogs interface {
	Pause(on bool)
	Close() error
}

// mostCrowded bounds the CPUs that hogs are kept for.
const mostCrowded = 4

// Hall is a Crowd whose hogs are started when they are first wanted and stand still while nobody wants them.
type Hall struct {
	cpus  []int
	start func(cpu, hogs int) (Hogs, error)

	mu     sync.Mutex
	groups map[group]*guests
}

// group is so many hogs on one CPU.
type group struct{ cpu, hogs int }

type guests struct {
	hogs  Hogs
	users int
}

// NewHall returns a Hall over at most four of the CPUs, since an attempt that may use more is not crowded. start starts hogs
// that stay on one CPU.
func NewHall(cpus []int, start func(cpu, hogs int) (Hogs, error)) *Hall {
	return &Hall{cpus: cpus[:min(len(cpus), mostCrowded)], start: start, groups: map[group]*guests{}}
}

// CPUs are those of the Hall.
func (h *Hall) CPUs() []int { return h.cpus }

// Enter has hogs compute until leave is called. Attempts of one kind on one CPU share them.
func (h *Hall) Enter(cpus []int, each int) (leave func(), err error) {
	if each == 0 {
		return func() {}, nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, cpu := range cpus {
		if err := h.ready(group{cpu, each}); err != nil {
			return nil, err
		}
	}
	for _, cpu := range cpus {
		h.use(group{cpu, each}, 1)
	}
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		for _, cpu := range cpus {
			h.use(group{cpu, each}, -1)
		}
	}, nil
}

func (h *Hall) ready(g group) error {
	if h.groups[g] != nil {
		return nil
	}
	hogs, err := h.start(g.cpu, g.hogs)
	if err != nil {
		return fmt.Errorf("make CPU %d busy: %w", g.cpu, err)
	}
	hogs.Pause(true)
	h.groups[g] = &guests{hogs: hogs}
	return nil
}

func (h *Hall) use(g group, change int) {
	in := h.groups[g]
	before := in.users
	in.users += change
	if (before == 0) != (in.users == 0) {
		in.hogs.Pause(in.users == 0)
	}
}

// Close ends the hogs.
func (h *Hall) Close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	var first error
	for _, in := range h.groups {
		if err := in.hogs.Close(); err != nil && first == nil {
			first = err
		}
	}
	h.groups = map[group]*guests{}
	return first
}
