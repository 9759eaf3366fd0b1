package starve

import (
	"fmt"
	"path/filepath"
	"runtime"
	"sync"
	"time"
)

// Stats are the sampler's account of itself.
type Stats struct {
	// Looks counts the looks at the attempts in flight, Samples the readings of single threads.
	Looks, Samples int64
	// Elapsed is how long the sampler has run and CPU what its thread used of it, the machine's series
	// included.
	Elapsed, CPU time.Duration
	// Busy is how long there were attempts to look at, and Rate the looks per second held meanwhile.
	Busy time.Duration
	Rate float64
	// Interval is the present time between two looks.
	Interval time.Duration
	// Descriptors are held now, MostDescriptors at most.
	Descriptors, MostDescriptors int
	// Tasks counts the threads seen, Attempts the attempts that were looked at.
	Tasks, Attempts int64
	// Lost counts the attempts, in each look, that the budget or the descriptors left no room for.
	Lost int64
}

// Share is the part of one CPU that the sampler used.
func (s Stats) Share() float64 {
	if s.Elapsed <= 0 {
		return 0
	}
	return float64(s.CPU) / float64(s.Elapsed)
}

// String is the account in one line.
func (s Stats) String() string {
	return fmt.Sprintf("sampler: %.2f %% of one CPU, %.1f looks/s held, %d samples of %d threads in %d attempts, %d lost, at most %d descriptors",
		100*s.Share(), s.Rate, s.Samples, s.Tasks, s.Attempts, s.Lost, s.MostDescriptors)
}

// sampler is the one thread that looks at everything.
type sampler struct {
	m       *Meter
	eyes    eyes
	watches map[*record]*watch
	live    []*record
	round   uint64
	gauge   *gauge

	attempts int64
	spent    time.Duration // the thread's CPU time when the last look ended
	interval time.Duration
	looked   time.Time

	mu    sync.Mutex
	stats Stats
	spans int64 // intervals between looks that make up stats.Busy
}

func newSampler(m *Meter) *sampler {
	s := &sampler{m: m, watches: map[*record]*watch{}, interval: m.cfg.Fastest}
	s.eyes = eyes{proc: m.cfg.Proc, buf: make([]byte, 4096), names: make([]byte, 4096), limit: m.cfg.Descriptors}
	s.eyes.children = hasChildren(m.cfg.Proc)
	s.gauge = newGauge(m)
	return s
}

// hasChildren tells whether threads name their children (CONFIG_PROC_CHILDREN).
func hasChildren(proc string) bool {
	files, _ := filepath.Glob(filepath.Join(proc, "self/task/*/children"))
	return len(files) > 0
}

// run samples until the meter closes. The thread is locked so that its CPU time is the sampler's alone.
func (s *sampler) run() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	began, cpu := time.Now(), threadCPU()
	s.spent = cpu
	var fast, slow, look time.Time // when each is due
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-s.m.stop:
			return
		case <-timer.C:
		}
		now := time.Now()
		if !now.Before(fast) {
			s.m.host.readFast(s.m.cfg.Now())
			fast = now.Add(fastEvery)
		}
		if !now.Before(slow) {
			s.m.host.readSlow(s.m.cfg.Now())
			s.gauge.read(s.m.cfg.Now())
			slow = now.Add(slowEvery)
		}
		if !now.Before(look) {
			s.look(now)
			s.pace()
			look = now.Add(s.interval)
		}
		s.account(time.Since(began), threadCPU()-cpu)
		timer.Reset(time.Until(earliest(fast, slow, look)))
	}
}

func earliest(times ...time.Time) time.Time {
	first := times[0]
	for _, t := range times[1:] {
		if t.Before(first) {
			first = t
		}
	}
	return first
}

// look takes one reading of every attempt in flight, or of as many as a look may cost.
func (s *sampler) look(now time.Time) {
	s.round++
	clear(s.live)
	s.live = s.m.records(s.live[:0])
	most := time.Duration(s.m.cfg.Share * float64(s.m.cfg.Slowest))
	// An attempt of a few milliseconds would be gone before the second look, and what was opened for it would
	// burden every process started until then.
	born := s.m.cfg.Now().Add(-s.m.cfg.Fastest / 2)
	samples, lost := int64(0), int64(0)
	for i, r := range s.live {
		if r.begin.at.After(born) {
			continue
		}
		// Asking the clock costs as much as reading a thread: not after every attempt.
		if i%16 == 15 && threadCPU()-s.spent > most {
			lost += s.passOver(s.live[i:])
			break
		}
		samples += s.one(r, &lost)
	}
	s.sweep()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.live) > 0 {
		s.stats.Looks++
		if !s.looked.IsZero() {
			s.stats.Busy += now.Sub(s.looked)
			s.spans++
		}
		s.looked = now
	} else {
		s.looked = time.Time{}
	}
	s.stats.Samples += samples
	s.stats.Lost += lost
}

func (s *sampler) one(r *record, lost *int64) int64 {
	if r.gone.Load() {
		return 0
	}
	w := s.watches[r]
	if w == nil || len(w.procs) == 0 { // new, or there was no descriptor for it before
		old := w
		if w = s.eyes.follow(r); w == nil {
			return 0
		}
		s.watches[r] = w
		if old == nil {
			s.attempts++
		} else {
			old.leave(&s.eyes)
		}
	}
	w.round = s.round
	if w.seen.lost {
		*lost++
	}
	n := w.look(&s.eyes)
	r.mu.Lock()
	r.seen = w.seen
	r.mu.Unlock()
	return int64(n)
}

// passOver keeps the watches of attempts a look did not reach. The order of a map differs from look to
// look, so it is not always the same ones.
func (s *sampler) passOver(rest []*record) int64 {
	for _, r := range rest {
		if w := s.watches[r]; w != nil {
			w.round = s.round
		}
	}
	return int64(len(rest))
}

// sweep forgets the attempts that are over.
func (s *sampler) sweep() {
	for r, w := range s.watches {
		if w.round != s.round {
			w.leave(&s.eyes)
			delete(s.watches, r)
		}
	}
}

// pace chooses when to look next: so late that what the thread used since the last look is no more than
// its share of the time.
func (s *sampler) pace() {
	now := threadCPU()
	s.interval = interval(now-s.spent, s.m.cfg)
	s.spent = now
}

func interval(cost time.Duration, cfg Config) time.Duration {
	return max(time.Duration(float64(cost)/cfg.Share), cfg.Fastest)
}

func (s *sampler) account(elapsed, cpu time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Elapsed, s.stats.CPU, s.stats.Interval = elapsed, cpu, s.interval
	s.stats.Descriptors, s.stats.MostDescriptors = s.eyes.open, s.eyes.most
	s.stats.Tasks, s.stats.Attempts = s.eyes.opened, s.attempts
}

func (s *sampler) close() {
	for _, w := range s.watches {
		w.leave(&s.eyes)
	}
	clear(s.watches)
	s.gauge.close()
}

// Stats is the sampler's account of itself so far.
func (m *Meter) Stats() Stats {
	m.sampler.mu.Lock()
	defer m.sampler.mu.Unlock()
	s := m.sampler.stats
	if s.Busy > 0 {
		s.Rate = float64(m.sampler.spans) / s.Busy.Seconds()
	}
	return s
}
