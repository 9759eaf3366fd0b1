package proc

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// quotaPeriod is the kernel's default, which containers and orchestrators use: a quota that is used up
	// stalls the attempt for the rest of it.
	quotaPeriod = 100 * time.Millisecond
	// leastQuota is the least the kernel takes (min_cfs_quota_period in kernel/sched/core.c).
	leastQuota = time.Millisecond
	// mostShares is the most weight a cgroup v1 may have (MAX_SHARES in kernel/sched/sched.h).
	mostShares = 1 << 18
	taskShares = 1024
)

// checkCPU refuses a fraction that means nothing.
func checkCPU(fraction float64) error {
	if fraction >= 0 && fraction <= 1 { // false for NaN
		return nil
	}
	return fmt.Errorf("limit CPU time to %v of the machine: write a fraction, more than 0 and at most 1", fraction)
}

// quota is a cgroup's limit on CPU time. It is armed only while an attempt runs in the cgroup. Between
// attempts heisen's own thread is in it (v1) or waits for a child there to execute (v2), with one of Go's
// processors and the lock on forks in hand: throttled, it would hold up all of heisen until the period ends.
// Writing the limit also gives back what the attempt before used up (tg_set_cfs_bandwidth in
// kernel/sched/core.c).
type quota struct {
	file    string
	on, off string
}

func newQuotaV2(dir string, fraction float64) *quota {
	period := strconv.FormatInt(quotaPeriod.Microseconds(), 10)
	return &quota{file: filepath.Join(dir, "cpu.max"), on: quotaText(fraction) + " " + period, off: "max " + period}
}

func newQuotaV1(dir string, fraction float64) *quota {
	return &quota{file: filepath.Join(dir, "cpu.cfs_quota_us"), on: quotaText(fraction), off: "-1"}
}

// quotaText is the time an attempt may have of each period, in microseconds.
func quotaText(fraction float64) string {
	cpus := float64(max(len(allowedCPUs()), 1))
	return strconv.FormatInt(quotaTime(fraction, cpus).Microseconds(), 10)
}

func quotaTime(fraction, cpus float64) time.Duration {
	return max(time.Duration(math.Round(fraction*cpus*float64(quotaPeriod))), leastQuota)
}

// arm and disarm do nothing for a nil quota.
func (q *quota) arm() error {
	if q == nil {
		return nil
	}
	return q.write(q.on)
}

func (q *quota) disarm() error {
	if q == nil {
		return nil
	}
	return q.write(q.off)
}

func (q *quota) write(text string) error {
	if err := os.WriteFile(q.file, []byte(text), 0); err != nil {
		return fmt.Errorf("set CPU quota: %w", err)
	}
	return nil
}

// quotaV2 tells whether the v2 hierarchy is to limit CPU time.
func (l *layout) quotaV2() bool { return l.limits.cpu > 0 && l.cpu == "" && l.pins.each == 0 }

// weaken limits CPU time without cgroup v2: by a v1 quota, else by leaving attempts fewer CPUs, and says so.
func (l *layout) weaken(own hierarchies, cfg Config) (lack string, err error) {
	why := l.quotaV1(own, cfg)
	if why == nil {
		return "", nil
	}
	allowed := allowedCPUs()
	if len(allowed) == 0 {
		return "", fmt.Errorf("limit CPU time: %w, and the CPUs to pin to are not known: run heisen as root or without the limit", why)
	}
	l.pins = pins{allowed: allowed, each: max(1, int(math.Round(l.limits.cpu*float64(len(allowed)))))}
	return fmt.Sprintf("a CPU quota (%v): each attempt is pinned to %d of %d CPUs instead, which it shares with other programs",
		why, l.pins.each, len(allowed)), nil
}

// quotaV1 makes the campaign's cgroup in the v1 hierarchy and tries whether it takes the quota: the kernel
// refuses more than a cgroup above has.
func (l *layout) quotaV1(own hierarchies, cfg Config) error {
	parent, found := own["cpu"]
	if cfg.off.quota {
		return errors.New("switched off")
	}
	if !found {
		return errors.New("no cpu controller that may be used")
	}
	dir := filepath.Join(parent, groupPrefix+cfg.Campaign)
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return errors.New(cause(err))
	}
	q := newQuotaV1(dir, l.limits.cpu)
	err := q.arm()
	if err == nil {
		// As much weight as one task for each attempt: by default all of them together would have that of one.
		shares := min(taskShares*max(cfg.Spec.Width, 1), mostShares)
		err = errors.Join(q.disarm(), os.WriteFile(filepath.Join(dir, "cpu.shares"), []byte(strconv.Itoa(shares)), 0))
	}
	if errors.Is(err, unix.EINVAL) {
		err = errors.New("heisen's own cgroup has less")
	}
	if err != nil {
		return errors.Join(errors.New(cause(err)), removeGroup(dir))
	}
	l.cpu = dir
	return nil
}

// pins says which CPUs attempts may use where there is no quota.
type pins struct {
	allowed []int // the CPUs heisen may use
	each    int   // how many of them one attempt may; 0 for no pinning
}

// of chooses the CPUs of a cell by its number, so that the cells spread over all of them.
func (p pins) of(cell int) []int {
	chosen := make([]int, 0, p.each)
	for i := range p.each {
		chosen = append(chosen, p.allowed[((cell-1)*p.each+i)%len(p.allowed)])
	}
	return chosen
}

// pin has this thread, and what it forks, run on these CPUs only; on none means anywhere.
func pin(cpus []int) error {
	if len(cpus) == 0 {
		return nil
	}
	var set unix.CPUSet
	for _, cpu := range cpus {
		set.Set(cpu)
	}
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return fmt.Errorf("pin to CPUs %v: %w", cpus, err)
	}
	return nil
}

// allowedCPUs lists the CPUs this process's main thread may run on.
func allowedCPUs() []int {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(os.Getpid(), &set); err != nil {
		return nil
	}
	var cpus []int
	for cpu := range len(set) * 64 {
		if set.IsSet(cpu) {
			cpus = append(cpus, cpu)
		}
	}
	return cpus
}
