package proc

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

// cell is the place an attempt runs in: a cgroup where there is one, and a lane that starts processes
// there. Cells are used again and again; an attempt has one for itself.
type cell struct {
	group *group // nil in tier D
	lane  *lane
	own   bool         // the lane serves this cell only
	loose func() error // ends the record of what an own lane forks; nil where there is none
	limit *limitV1     // nil unless cgroup v1 confines the attempt
	quota *quota       // nil unless a cgroup limits its CPU time
	oom   func() int   // how many of its processes the kernel has killed for memory, ever; nil if unknown
	kills int          // the last answer of oom
}

func (c *cell) place() (p Place) {
	if c.group != nil {
		p.Group = c.group.dir
	}
	if c.quota != nil {
		p.CPU = filepath.Dir(c.quota.file)
	}
	return p
}

// limitV1 is the cgroup v1 folders that confine whatever a lane's thread forks.
type limitV1 struct {
	memory, pids, cpu string // "" where not limited
}

func (l *limitV1) dirs() []string {
	return slices.DeleteFunc([]string{l.memory, l.pids, l.cpu}, func(dir string) bool { return dir == "" })
}

// cells hands out cells and makes new ones as they are needed.
type cells struct {
	layout layout
	shared *lane
	spawn  *spawner
	follow func() (release func() error, err error) // Config.Follow, for lanes of a cell's own; may be nil

	mu    sync.Mutex
	free  []*cell
	all   []*cell
	named int
}

// layout says where cells are to be made and what confines them.
type layout struct {
	base   string // the campaign's folder in the v2 hierarchy; "" for tier D
	memory string // the campaign's folder in the v1 memory hierarchy; "" for none
	pids   string // the same for v1 pids
	cpu    string // the same for v1 cpu
	pins   pins   // the CPUs attempts are pinned to, where no quota can be had
	limits limitsOf
	v2     bool   // limits are written to the v2 folders
	leaf   string // where heisen itself moved to make v2 controllers possible; "" if it did not
}

type limitsOf struct {
	memory, processes int64
	cpu               float64
}

// laned tells whether a cell needs a thread of its own to confine what it forks.
func (l *layout) laned() bool {
	return l.memory != "" || l.pids != "" || l.cpu != "" || l.pins.each > 0
}

// warm is how many of the cells nobody uses, the most recently used, keep their cgroups open. Each fork copies the
// table of descriptors and each exec closes all of the copy, so one that is idle costs every attempt some 0.2 us.
const warm = 8

// take returns a cell nobody uses. The most recently used comes first: its kernel structures are warm.
func (c *cells) take() (*cell, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := len(c.free); n > 0 {
		got := c.free[n-1]
		if got.group != nil {
			if err := got.group.open(); err != nil {
				return nil, err
			}
		}
		c.free = c.free[:n-1]
		return got, nil
	}
	c.named++
	made, err := c.make(strconv.Itoa(c.named))
	if err != nil {
		return nil, err
	}
	c.all = append(c.all, made)
	return made, nil
}

// trim removes the cells nobody uses and gives their descriptors back: where those run out, idle cells must
// not be what keeps the next attempt from starting. One that cannot be removed is left to close.
func (c *cells) trim() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, idle := range c.free {
		if idle.remove() == nil {
			c.all = slices.DeleteFunc(c.all, func(one *cell) bool { return one == idle })
		}
	}
	c.free = nil
}

// give returns a cell that is empty again. One that is not is never given back; close deals with it, and
// with one that cannot be made anew.
func (c *cells) give(used *cell) error {
	if err := c.restore(used); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.free = append(c.free, used)
	if i := len(c.free) - 1 - warm; i >= 0 && c.free[i].group != nil {
		c.free[i].group.close()
	}
	return nil
}

// restore makes a cell as good as new: with its CPU time unlimited until the next attempt runs; thawed, for a
// process cloned into a frozen cgroup would never get to its exec and its parent would wait for it for ever;
// and not one that was killed.
func (c *cells) restore(used *cell) error {
	if err := used.quota.disarm(); err != nil {
		return err
	}
	switch g := used.group; {
	case g == nil:
		return nil
	case g.spent:
		return c.renew(used)
	case g.frozen:
		return g.freeze(false)
	}
	return nil
}

// renew gives a cell another cgroup in the place of one that is spent.
func (c *cells) renew(used *cell) error {
	dir := used.group.dir
	if err := used.group.remove(); err != nil {
		return err
	}
	fresh, err := makeGroup(dir)
	if err != nil {
		return err
	}
	used.group = fresh
	if c.layout.v2 {
		return used.limitV2(c.layout)
	}
	return nil
}

func (c *cells) make(name string) (made *cell, err error) {
	made = &cell{lane: c.shared}
	defer func() {
		if err != nil {
			err = errors.Join(err, made.remove())
		}
	}()
	if c.layout.base != "" {
		if made.group, err = makeGroup(filepath.Join(c.layout.base, name)); err != nil {
			return made, err
		}
	}
	if c.layout.v2 {
		err = made.limitV2(c.layout)
	}
	if err == nil && c.layout.laned() {
		err = c.limitV1(made, name)
	}
	return made, err
}

func (c *cell) limitV2(in layout) error {
	l := in.limits
	if in.quotaV2() {
		c.quota = newQuotaV2(c.group.dir, l.cpu)
	}
	if l.memory > 0 {
		if err := c.group.write("memory.max", strconv.FormatInt(l.memory, 10)); err != nil {
			return err
		}
		c.oom = oomCount(filepath.Join(c.group.dir, "memory.events"))
		c.kills = c.oom()
	}
	if l.processes > 0 {
		return c.group.write("pids.max", strconv.FormatInt(l.processes, 10))
	}
	return nil
}

// limitV1 gives the cell a thread of its own that lives in its v1 cgroups: in v1 membership is a thread's,
// and a fork inherits it. Moving a shared thread for every spawn would take the kernel's
// cgroup_threadgroup_rwsem for writing each time, which costs milliseconds. Affinity is inherited likewise.
func (c *cells) limitV1(made *cell, name string) error {
	made.limit = &limitV1{}
	set := func(dir *string, parent, file string, value int64) error {
		*dir = filepath.Join(parent, name)
		if err := os.Mkdir(*dir, 0o755); err != nil {
			return fmt.Errorf("create cgroup: %w", err)
		}
		return os.WriteFile(filepath.Join(*dir, file), []byte(strconv.FormatInt(value, 10)), 0)
	}
	if c.layout.memory != "" {
		if err := set(&made.limit.memory, c.layout.memory, "memory.limit_in_bytes", c.layout.limits.memory); err != nil {
			return err
		}
		made.oom = oomCount(filepath.Join(made.limit.memory, "memory.oom_control"))
		made.kills = made.oom()
	}
	if c.layout.pids != "" {
		// One more than asked for: the lane's thread counts too.
		if err := set(&made.limit.pids, c.layout.pids, "pids.max", c.layout.limits.processes+1); err != nil {
			return err
		}
	}
	if c.layout.cpu != "" {
		dir := filepath.Join(c.layout.cpu, name)
		if err := os.Mkdir(dir, 0o755); err != nil {
			return fmt.Errorf("create cgroup: %w", err)
		}
		made.limit.cpu = dir
		quota, err := newQuotaV1(dir, c.layout.limits.cpu)
		if err != nil {
			return fmt.Errorf("set CPU quota: %w", err)
		}
		made.quota = quota
	}
	pinned := c.layout.pins.chosen()
	own, err := newLane(make(chan launch), c.spawn, func() error {
		for _, dir := range made.limit.dirs() {
			tid := strconv.Itoa(unix.Gettid())
			if err := os.WriteFile(filepath.Join(dir, "tasks"), []byte(tid), 0); err != nil {
				return fmt.Errorf("enter cgroup: %w", err)
			}
		}
		if c.follow != nil {
			// Where descriptors run out its attempts go without a record.
			made.loose, _ = c.follow()
		}
		return pin(pinned)
	})
	if err != nil {
		return err
	}
	made.lane, made.own = own, true
	return nil
}

// oomCount makes a reader of the oom_kill counter of memory.events (v2) or memory.oom_control (v1).
func oomCount(file string) func() int {
	return func() int {
		data, _ := os.ReadFile(file)
		n, _ := counter(data, "oom_kill")
		return int(n)
	}
}

// oomKills tells how many processes were killed for memory since the last call.
func (c *cell) oomKills() int {
	if c.oom == nil {
		return 0
	}
	before := c.kills
	c.kills = c.oom()
	return max(c.kills-before, 0)
}

// remove ends the cell's thread and deletes its cgroups.
func (c *cell) remove() error {
	var errs []error
	_ = c.quota.disarm() // a throttled thread would take until its next period to end
	if c.loose != nil {
		errs = append(errs, c.loose())
	}
	if c.own {
		close(c.lane.requests)
		<-c.lane.done
	}
	if c.group != nil {
		errs = append(errs, c.group.remove())
	}
	if c.limit != nil {
		for _, dir := range c.limit.dirs() {
			errs = append(errs, removeGroup(dir))
		}
	}
	return errors.Join(errs...)
}

// close removes all cells; they must be empty.
func (c *cells) close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var errs []error
	for _, made := range c.all {
		errs = append(errs, made.remove())
	}
	c.all, c.free = nil, nil
	return errors.Join(errs...)
}
