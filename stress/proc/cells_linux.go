package proc

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

// cell is the place an attempt runs in: a cgroup where there is one, and a lane that starts processes
// there. Cells are used again and again; an attempt has one for itself.
type cell struct {
	group *group // nil in tier D
	lane  *lane
	own   bool       // the lane serves this cell only
	limit *limitV1   // nil unless cgroup v1 confines the attempt
	oom   func() int // how many of its processes the kernel has killed for memory, ever; nil if unknown
	kills int        // the last answer of oom
}

// dir is the cell's folder in the v2 hierarchy, "" where it has none.
func (c *cell) dir() string {
	if c.group == nil {
		return ""
	}
	return c.group.dir
}

// limitV1 is a pair of cgroup v1 folders that confine whatever a lane's thread forks.
type limitV1 struct {
	memory, pids string // "" where not limited
}

// cells hands out cells and makes new ones as they are needed.
type cells struct {
	layout layout
	shared *lane
	spawn  *spawner

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
	limits limitsOf
	v2     bool   // limits are written to the v2 folders
	leaf   string // where heisen itself moved to make v2 controllers possible; "" if it did not
}

type limitsOf struct{ memory, processes int64 }

// take returns a cell nobody uses. The most recently used comes first: its kernel structures are warm.
func (c *cells) take() (*cell, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := len(c.free); n > 0 {
		got := c.free[n-1]
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

// give returns a cell that is empty again. One that is not is never given back; close deals with it, and
// with one that cannot be made anew.
func (c *cells) give(used *cell) error {
	if err := c.restore(used); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.free = append(c.free, used)
	return nil
}

// restore makes a cell as good as new: thawed, for a process cloned into a frozen cgroup would never get to
// its exec and its parent would wait for it for ever; and not one that was killed.
func (c *cells) restore(used *cell) error {
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
		return used.limitV2(c.layout.limits)
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
	switch {
	case c.layout.v2:
		err = made.limitV2(c.layout.limits)
	case c.layout.memory != "" || c.layout.pids != "":
		err = c.limitV1(made, name)
	}
	return made, err
}

func (c *cell) limitV2(l limitsOf) error {
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
// cgroup_threadgroup_rwsem for writing each time, which costs milliseconds.
func (c *cells) limitV1(made *cell, name string) error {
	made.limit = &limitV1{}
	var dirs []string
	set := func(dir *string, parent, file string, value int64) error {
		*dir = filepath.Join(parent, name)
		dirs = append(dirs, *dir)
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
	own, err := newLane(make(chan launch), c.spawn, func() error {
		for _, dir := range dirs {
			tid := strconv.Itoa(unix.Gettid())
			if err := os.WriteFile(filepath.Join(dir, "tasks"), []byte(tid), 0); err != nil {
				return fmt.Errorf("enter cgroup: %w", err)
			}
		}
		return nil
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
	if c.own {
		close(c.lane.requests)
		<-c.lane.done
	}
	if c.group != nil {
		errs = append(errs, c.group.remove())
	}
	if c.limit != nil {
		for _, dir := range []string{c.limit.memory, c.limit.pids} {
			if dir != "" {
				errs = append(errs, removeGroup(dir))
			}
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
