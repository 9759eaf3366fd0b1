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

	"heisen/stress/cpus"
)

const (
	// quotaPeriod is shorter than the kernel's default of 100 ms: a quota that is used up stalls the attempt for the
	// rest of the period, and a test that needs 10 ms of CPU time would never use up a tenth of 100 ms on two CPUs.
	quotaPeriod = 10 * time.Millisecond
	// mostPeriod is the longest the kernel takes (max_cfs_quota_period in kernel/sched/core.c).
	mostPeriod = time.Second
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
	share, period := quotaTime(fraction, cpusHere())
	return &quota{file: filepath.Join(dir, "cpu.max"), on: micros(share) + " " + micros(period), off: "max " + micros(period)}
}

// newQuotaV1 also sets the period, which in v1 is a file of its own.
func newQuotaV1(dir string, fraction float64) (*quota, error) {
	share, period := quotaTime(fraction, cpusHere())
	q := &quota{file: filepath.Join(dir, "cpu.cfs_quota_us"), on: micros(share), off: "-1"}
	return q, os.WriteFile(filepath.Join(dir, "cpu.cfs_period_us"), []byte(micros(period)), 0)
}

func micros(d time.Duration) string { return strconv.FormatInt(d.Microseconds(), 10) }

func cpusHere() float64 {
	list, err := cpus.Allowed()
	if err != nil {
		return 1
	}
	return float64(len(list))
}

// quotaTime is the time an attempt may have of each period. The period is longer where its share would be less
// than the kernel takes.
func quotaTime(fraction, cpus float64) (share, period time.Duration) {
	period = quotaPeriod
	if least := float64(leastQuota) / (fraction * cpus); least > float64(period) {
		period = time.Duration(math.Ceil(min(least, float64(mostPeriod))/1e3)) * time.Microsecond
	}
	return max(time.Duration(math.Round(fraction*cpus*float64(period))), leastQuota), period
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
	allowed, err := cpus.Allowed()
	if err != nil {
		return "", fmt.Errorf("limit CPU time: %w, and there is no pinning instead: %w: run heisen as root or without the limit", why, err)
	}
	l.pins = pins{allowed: allowed, each: max(1, int(math.Round(l.limits.cpu*float64(len(allowed)))))}
	return fmt.Sprintf("a CPU quota (%v): all attempts are pinned to the same %d of %d CPUs instead, which they share with other programs",
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
	q, err := newQuotaV1(dir, l.limits.cpu)
	if err == nil {
		err = q.arm()
	}
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
	each    int   // how many of them attempts may; 0 for no pinning
}

// chosen are the CPUs of every attempt, the same for all: attempts that spread over all CPUs would have as many
// of them together as without the limit, and wait no longer for one.
func (p pins) chosen() []int { return p.allowed[len(p.allowed)-p.each:] }

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
