package starve

import (
	"maps"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"heisen/stress/run"
)

// Config says where a Meter reads and how much it may cost. The zero value measures this machine.
type Config struct {
	// Proc and Cgroup are where proc(5) and cgroups(7) are mounted: /proc and /sys/fs/cgroup.
	Proc, Cgroup string
	// Now is the clock.
	Now func() time.Time
	// CPUs is how many CPUs the machine has online.
	CPUs int
	// Share is how much of one CPU the sampler may use, 0.028 by default: a little less than the three in a hundred that
	// are promised, since what a look costs is known only after it. It slows down rather than go over.
	Share float64
	// Fastest and Slowest bound the time between two looks at the attempts: 100 ms and 2 s.
	Fastest, Slowest time.Duration
	// Descriptors is how many files the sampler may hold open, by default a quarter of RLIMIT_NOFILE and
	// at most 4,096: every process that is started copies them and closes them again (2,400 take 0.1 ms, 8,000
	// take 0.6 ms). Threads without one are opened and closed at every look.
	Descriptors int
	// Ration is how many attempts a second that were shorter than 50 ms and exited with 0 have their threads
	// read at their end, 100 by default; all others always have. Negative reads all: for attempts that
	// are not judged by their exit code.
	Ration int
	// SeriesFile is where the machine's series is kept, usually series.json in the campaign's folder; an
	// older one there is gone on with. Empty keeps it in memory only.
	SeriesFile string
	// SeriesEvery is how often it is written, 30 s by default: a crash loses no more than that.
	SeriesEvery time.Duration

	// still leaves the sampler to the tests, which call its steps themselves.
	still bool
}

func (c Config) withDefaults() Config {
	if c.Proc == "" {
		c.Proc = "/proc"
	}
	if c.Cgroup == "" {
		c.Cgroup = "/sys/fs/cgroup"
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.CPUs <= 0 {
		c.CPUs = runtime.NumCPU()
	}
	if c.Share <= 0 {
		c.Share = 0.028
	}
	if c.Fastest <= 0 {
		c.Fastest = 100 * time.Millisecond
	}
	c.Slowest = max(c.Slowest, c.Fastest)
	if c.Slowest == c.Fastest {
		c.Slowest = max(2*time.Second, c.Fastest)
	}
	if c.Descriptors <= 0 {
		c.Descriptors = min(descriptorLimit()/4, 4096)
	}
	if c.Ration == 0 {
		c.Ration = 100
	}
	if c.SeriesEvery <= 0 {
		c.SeriesEvery = 30 * time.Second
	}
	return c
}

// Meter measures many attempts at once. One thread of its own samples them all; its hooks run on the
// attempts' goroutines and cost some 10 µs, and 20 more where /proc/PID is read. All methods may be called from any goroutine.
type Meter struct {
	cfg     Config
	missing map[string]string
	host    *host
	series  *Series
	sampler *sampler

	mu   sync.Mutex
	live map[key]*record

	ration ration

	stop chan struct{}
	done sync.WaitGroup
	once sync.Once

	seriesMu  sync.Mutex
	seriesErr error
}

type key struct {
	seq int64
	try int
}

// record is what is known of one attempt in flight.
type record struct {
	pid   int
	group string
	begin moment
	own   *groupThrottle

	// gone is set before the main process can be reaped: its number is nobody's from then on.
	gone atomic.Bool

	// These are written by Zombie and read by Finish, which the runner calls one after the other.
	over     bool
	end      moment
	usage    usage
	usageErr error
	main     schedstat
	mainErr  error

	mu   sync.Mutex
	seen seen
}

// usage is getrusage(2) of a main process and of the children it waited for.
type usage struct {
	minorFaults, majorFaults int64
	voluntary, involuntary   int64
	cpu                      time.Duration
	// bad tells that the process was killed or exited with a code other than 0.
	bad bool
}

// OpenMeter starts measuring. What this machine cannot give is no error: NotCollected says why. The error
// is about the series' file alone: it holds something this version cannot read.
func OpenMeter(cfg Config) (*Meter, error) {
	cfg = cfg.withDefaults()
	series, err := openSeries(cfg.SeriesFile)
	if err != nil {
		return nil, err
	}
	m := &Meter{cfg: cfg, series: series, live: map[key]*record{}, stop: make(chan struct{})}
	m.host = openHost(cfg.Proc, cfg.Cgroup)
	m.missing = maps.Clone(m.host.missing)
	probe(cfg.Proc, m.missing)
	m.sampler = newSampler(m)
	if !cfg.still {
		m.done.Go(m.sampler.run)
		if cfg.SeriesFile != "" {
			m.done.Go(m.keepSeries)
		}
	}
	return m, nil
}

// probe finds out which of the per-thread signals the kernel gives.
func probe(proc string, missing map[string]string) {
	missing[run.SigMigrations] = "needs scheduler events: procfs tells them only in /proc/PID/task/TID/sched, " +
		"which is too slow to read for every thread"
	why := ""
	file, err := openFile(filepath.Join(proc, "self/schedstat"))
	if err != nil {
		why = err.Error()
	} else {
		var buf [128]byte
		data, err := file.read(buf[:])
		file.close()
		// A process that reads has run; all zeros is a kernel that does not count (kernel/sched/stats.h).
		if s, ok := parseSchedstat(data); err != nil || !ok || s.slices == 0 {
			why = "this kernel keeps no scheduling statistics of threads (CONFIG_SCHED_INFO)"
		}
	}
	if why == "" {
		return
	}
	for _, name := range []string{run.SigRunDelay, run.SigRunDelayWorst, run.SigLongestStall, run.SigThreadStart} {
		missing[name] = why
	}
}

// NotCollected maps the signals this machine cannot give at all to why.
func (m *Meter) NotCollected() map[string]string {
	return maps.Clone(m.missing)
}

// Started tells that an attempt's main process exists and is not reaped. cgroup is the folder of the
// control group v2 that is the attempt's alone, quota that of the one (v1 or v2) whose CPU quota confines
// it; "" where there is none.
func (m *Meter) Started(a run.Attempt, pid int, cgroup, quota string) {
	r := &record{pid: pid, group: cgroup}
	r.begin = m.host.totals.at(m.cfg.Now())
	r.own = openGroupThrottle(quota)
	m.mu.Lock()
	m.live[key{a.Seq, a.Try}] = r
	m.mu.Unlock()
}

// Zombie tells that the main process has ended and is not reaped.
func (m *Meter) Zombie(a run.Attempt, pid int) {
	r := m.record(a)
	if r == nil {
		return
	}
	r.gone.Store(true)
	r.over = true
	r.end = m.host.totals.at(m.cfg.Now())
	r.usage, r.usageErr = usageOfZombie(pid)
	r.main, r.mainErr = schedstat{}, errRation
	if m.worthReading(r) {
		r.main, r.mainErr = readMain(m.cfg.Proc, pid)
	}
	r.own.close()
}

// worthReading tells whether to read a zombie's /proc: always where the attempt failed or took a while, and
// so many times a second where it was short and passed. Passing attempts are there to be compared with, and
// reading one costs the kernel a new /proc/PID, which it must take away again.
func (m *Meter) worthReading(r *record) bool {
	if m.cfg.Ration < 0 || r.usageErr != nil || r.usage.bad || r.end.at.Sub(r.begin.at) >= shortAttempt {
		return true
	}
	return m.ration.take(r.end.at, m.cfg.Ration)
}

// shortAttempt is what lasts less than a hundred times what reading it costs.
const shortAttempt = 50 * time.Millisecond

// ration hands out readings one by one, so that they are spread over the second.
type ration struct {
	mu   sync.Mutex
	next time.Time
}

func (r *ration) take(now time.Time, perSecond int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Before(r.next) {
		return false
	}
	r.next = now.Add(time.Second / time.Duration(perSecond))
	return true
}

func readMain(proc string, pid int) (schedstat, error) {
	file, err := openFile(proc + "/" + strconv.Itoa(pid) + "/schedstat")
	if err != nil {
		return schedstat{}, err
	}
	defer file.close()
	var buf [128]byte
	data, err := file.read(buf[:])
	if err != nil {
		return schedstat{}, err
	}
	s, ok := parseSchedstat(data)
	if !ok {
		return schedstat{}, errSchedstat
	}
	return s, nil
}

// Finish puts the attempt's measurements into res and forgets the attempt. A signal that is there already
// stays as it is: who put it there knew better. A signal both in Signals and in NotCollected is a lower
// bound, and the text says why.
func (m *Meter) Finish(a run.Attempt, res *run.Result) {
	m.mu.Lock()
	r := m.live[key{a.Seq, a.Try}]
	delete(m.live, key{a.Seq, a.Try})
	m.mu.Unlock()
	if r == nil {
		return
	}
	r.gone.Store(true)
	r.own.close()
	f := figures{result: res, session: m.missing}
	if !r.over {
		f.lack(whyNoEnd, measuredSignals...)
		return
	}
	r.mu.Lock()
	s := r.seen
	r.mu.Unlock()
	if u := res.Usage; r.usageErr != nil && u.MinorFaults > 0 {
		// A main process that is another's child, as under a tracer; no process runs without a fault.
		r.usageErr = nil
		r.usage = usage{minorFaults: u.MinorFaults, majorFaults: u.MajorFaults, voluntary: u.Voluntary,
			involuntary: u.Involuntary, cpu: u.User + u.System}
	}
	f.accounting(r)
	f.scheduling(r, s)
	f.machine(r, m.cfg.CPUs, &m.host.totals)
}

func (m *Meter) record(a run.Attempt) *record {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.live[key{a.Seq, a.Try}]
}

// records lists the attempts in flight into a slice that is used again.
func (m *Meter) records(into []*record) []*record {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.live {
		into = append(into, r)
	}
	return into
}

// Series is the machine's series so far.
func (m *Meter) Series() *Series { return m.series }

// Close stops sampling, writes the series and gives every descriptor back. Attempts in flight lose their
// measurements. The error is of the last write of the series.
func (m *Meter) Close() error {
	m.once.Do(func() {
		close(m.stop)
		m.done.Wait()
		m.sampler.close()
		m.host.close()
		m.mu.Lock()
		for _, r := range m.live {
			r.own.close()
		}
		clear(m.live)
		m.mu.Unlock()
		if m.cfg.SeriesFile != "" {
			m.writeSeries()
		}
	})
	m.seriesMu.Lock()
	defer m.seriesMu.Unlock()
	return m.seriesErr
}

func (m *Meter) keepSeries() {
	every := time.NewTicker(m.cfg.SeriesEvery)
	defer every.Stop()
	for {
		select {
		case <-m.stop:
			return
		case <-every.C:
			m.writeSeries()
		}
	}
}

func (m *Meter) writeSeries() {
	err := m.series.WriteFile(m.cfg.SeriesFile)
	m.seriesMu.Lock()
	defer m.seriesMu.Unlock()
	m.seriesErr = err
}

// Runner runs one attempt to its end.
type Runner interface {
	Run(a run.Attempt, ctl *run.Control) run.Result
}

// Measured is inner with the measurements of m in its results. inner must call m.Started and m.Zombie.
func Measured(inner Runner, m *Meter) Runner {
	return measured{inner, m}
}

type measured struct {
	inner Runner
	meter *Meter
}

func (r measured) Run(a run.Attempt, ctl *run.Control) run.Result {
	res := r.inner.Run(a, ctl)
	r.meter.Finish(a, &res)
	if e := res.Ending; e.StartError == nil && e.Machine == "" {
		figures{result: &res, session: r.meter.missing}.tempFiles(a.Temp)
	}
	return res
}
