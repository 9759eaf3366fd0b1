package proc

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"heisen/stress/run"
)

// kin is what a subreaper knows of the processes that were re-parented to it because their parent died
// (prctl(2), PR_SET_CHILD_SUBREAPER). They are children of this process until it reaps them, so their
// numbers cannot be reused and signalling them by number is exact.
//
// An orphan is told from the children other packages start by its session: attempts never run in
// heisen's own, and no process can enter another's session.
type kin struct {
	fs       procFS
	campaign string
	session  int
	list     *os.File // the main thread's list of children
	tracked  bool     // tier D: orphans are attributed to attempts; else they are only reaped

	mu      sync.Mutex
	running map[*child]struct{}
	orphans map[int]*orphan
	marks   map[identity]*child // descendants of attributed orphans, before they become orphans
	strays  run.Strays
	buf     []byte
}

// orphan is an adopted process that is not yet reaped.
type orphan struct {
	stat      stat
	owner     *child
	ambiguous bool // more than one attempt may have started it
	stray     bool // killed and counted as nobody's; it may take a while to die
}

// identity names a process beyond the reuse of its number.
type identity struct {
	pid   int
	start uint64
}

// tick is the resolution of a process's start time; USER_HZ is 100 on every Linux architecture heisen is
// built for.
const tick = int64(10 * time.Millisecond)

func newKin(fs procFS, campaign string, tracked bool) (*kin, error) {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return nil, fmt.Errorf("become child subreaper: %w", err)
	}
	session, err := unix.Getsid(0)
	if err != nil {
		return nil, fmt.Errorf("get session: %w", err)
	}
	self := strconv.Itoa(os.Getpid())
	list, err := os.Open(filepath.Join(string(fs), self, "task", self, "children"))
	if err != nil {
		return nil, fmt.Errorf("find adopted processes: %w: the kernel needs CONFIG_PROC_CHILDREN, /proc must be mounted", err)
	}
	return &kin{
		fs: fs, campaign: campaign, session: session, list: list, tracked: tracked,
		running: map[*child]struct{}{}, orphans: map[int]*orphan{}, marks: map[identity]*child{},
		buf: make([]byte, 0, 4096),
	}, nil
}

func (k *kin) close() error { return k.list.Close() }

// add, born and drop keep the set of attempts an orphan may belong to. An attempt is added before its
// first process is forked, so that no orphan of its can be older than it.
func (k *kin) add(c *child) {
	c.boot = bootTime()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.running[c] = struct{}{}
}

func (k *kin) born(c *child) {
	k.mu.Lock()
	defer k.mu.Unlock()
	c.session = c.pid
}

func (k *kin) drop(c *child) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.running, c)
	k.killStrays()
	for id, owner := range k.marks {
		if owner == c {
			delete(k.marks, id)
		}
	}
}

// children reads the present list. It is empty almost always, and then this is one system call.
func (k *kin) children() []int {
	buf := k.buf[:0]
	for {
		n, err := k.list.ReadAt(buf[len(buf):cap(buf)], int64(len(buf)))
		buf = buf[:len(buf)+n]
		if n == 0 || (err != nil && len(buf) < cap(buf)) {
			k.buf = buf
			return parsePIDs(buf)
		}
		buf = slices.Grow(buf, len(buf))
	}
}

// look brings the set of orphans up to date: zombies are reaped, new ones attributed. It returns how many
// are still there, the dying ones included.
func (k *kin) look() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.lookLocked()
}

// lookDying is look, and tells whether an orphan is on its way to be a zombie; with wait false it never
// does, as nothing was killed that would have to be waited for.
func (k *kin) lookDying(wait bool) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.lookLocked()
	for _, o := range k.orphans {
		if wait && o.stat.over() {
			return true
		}
	}
	return false
}

func (k *kin) lookLocked() int {
	for {
		present := k.children()
		if len(present) == 0 && len(k.orphans) == 0 {
			return 0
		}
		if !k.visit(present) {
			return len(k.orphans)
		}
		// What the reaped ones left behind was appended to the list, perhaps after it was read.
	}
}

// visit looks at each child once and tells whether any was reaped.
func (k *kin) visit(present []int) (reaped bool) {
	known := make(map[int]*orphan, len(k.orphans))
	for _, pid := range present {
		s, err := k.fs.stat(pid)
		if err != nil || s.Session == k.session || s.Session == 0 {
			continue
		}
		if s.State == 'Z' {
			if _, _, err := reap(pid); err == nil {
				reaped = true
				continue
			}
		}
		o := k.orphans[pid]
		if o == nil {
			o = &orphan{}
		}
		o.stat = s
		if o.owner == nil && k.tracked && !s.over() {
			k.attribute(o)
		}
		known[pid] = o
	}
	k.orphans = known
	return reaped
}

// attribute finds the attempt an orphan comes from: by the environment it was executed with, by its
// session or group, by an ancestor that was attributed, else by there being only one attempt it can
// come from.
func (k *kin) attribute(o *orphan) {
	if c := k.marks[identity{o.stat.PID, o.stat.Start}]; c != nil {
		o.owner = c
		return
	}
	for c := range k.running {
		if o.stat.Session == c.session || o.stat.Group == c.session {
			o.owner = c
			return
		}
	}
	environ, _ := k.fs.environ(o.stat.PID)
	if campaign, _ := lookup(environ, CampaignVariable); campaign == k.campaign {
		attempt, _ := lookup(environ, "HEISEN_ATTEMPT")
		for c := range k.running {
			if strconv.FormatInt(c.attempt.Seq, 10) == attempt {
				o.owner = c
				return
			}
		}
	}
	candidates := k.candidates(o)
	o.ambiguous = o.ambiguous || len(candidates) > 1
	if len(candidates) == 1 && !o.ambiguous {
		o.owner = candidates[0]
	}
}

// candidates are the running attempts that began before the orphan did.
func (k *kin) candidates(o *orphan) []*child {
	latest := int64(o.stat.Start+1) * tick
	var found []*child
	for c := range k.running {
		if c.boot <= latest {
			found = append(found, c)
		}
	}
	return found
}

// of lists the processes outside the main process's reach that belong to an attempt and still run:
// attributed orphans and what hangs below them.
func (k *kin) of(c *child) []int {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.lookLocked()
	var pids []int
	for pid, o := range k.orphans {
		if o.owner != c || o.stat.over() {
			continue
		}
		pids = append(pids, pid)
		for _, below := range k.fs.descendants(pid) {
			s, err := k.fs.stat(below)
			if err == nil && !s.over() {
				k.marks[identity{below, s.Start}] = c
				pids = append(pids, below)
			}
		}
	}
	slices.Sort(pids)
	return slices.Compact(pids)
}

// kill sends SIGKILL to an attempt's orphans and tells whether any is left, the dying ones included. What
// hangs below them becomes an orphan by that and is met by the next call.
func (k *kin) kill(c *child) (left bool) {
	k.of(c) // marks descendants before their parents die
	k.mu.Lock()
	defer k.mu.Unlock()
	for pid, o := range k.orphans {
		if o.owner == c {
			left = true
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	return left
}

// killStrays kills the orphans nobody can be named for, once no running attempt can have started them.
func (k *kin) killStrays() {
	for pid, o := range k.orphans {
		if o.owner == nil && !o.stray && !o.stat.over() && k.tracked && len(k.candidates(o)) == 0 {
			o.stray = true
			k.strays.Count++
			k.strays.Last = run.Leak{PID: pid, Command: k.fs.command(pid)}
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

// clear kills and reaps every orphan, whoever it belonged to.
func (k *kin) clear(limit time.Duration) error {
	deadline := time.Now().Add(limit)
	for wait := time.Millisecond; k.look() > 0; wait = min(2*wait, 20*time.Millisecond) {
		k.mu.Lock()
		for pid := range maps.Keys(k.orphans) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		k.mu.Unlock()
		if time.Now().After(deadline) {
			return errors.New("adopted processes do not die of SIGKILL")
		}
		time.Sleep(wait)
	}
	return nil
}
