package proc

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"heisen/stress/run"
)

// Supervisor runs attempts as supervised process trees. It is safe for hundreds of concurrent calls.
type Supervisor struct {
	cfg     Config
	fs      procFS
	tier    run.Tier
	layout  layout
	recipe  recipe
	spawn   *spawner
	lanes   chan launch
	follow  *followed // nil without Config.Follow
	threads []*lane
	cells   *cells
	poll    *poller
	kin     *kin
	vmstat  *oomWatch
	dump    syscall.Signal // 0 for none

	procs   int            // GOMAXPROCS to restore; 0 if it was not touched
	self    int            // this process's number, and its main thread's
	masked  bool           // heisen was started with signals blocked, which children must not inherit
	core    *unix.Rlimit   // the soft limit to restore
	ignored chan os.Signal // catches the signals heisen was started with ignoring
	janitor chan struct{}  // closed to end the janitor
	swept   sync.WaitGroup

	forking chan struct{} // one element for each process that is being forked from an attempt's own thread

	mu       sync.Mutex
	inflight int
	closed   bool
	retired  []*cell // cells that could not be emptied
}

// Open prepares this process to supervise attempts: it finds the best tier, makes the campaign's cgroup,
// becomes a child subreaper and starts the threads that fork. It returns an error that says what to do
// where a limit of the Spec cannot be kept on this machine.
func Open(cfg Config) (s *Supervisor, err error) {
	if err := checkCampaign(cfg.Campaign); err != nil {
		return nil, err
	}
	s = &Supervisor{cfg: cfg, fs: "/proc", lanes: make(chan launch), janitor: make(chan struct{})}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.release())
			s = nil
		}
	}()
	if s.dump, err = dumpSignal(cfg.Spec.Timeout.DumpSignal); err != nil {
		return s, err
	}
	if err = pidfdsWork(); err != nil {
		return s, err
	}
	var shim []string
	if s.tier, s.layout, shim, err = s.choose(); err != nil {
		return s, err
	}
	s.recipe = newRecipe(cfg, shim)
	if err = s.prepareProcess(); err != nil {
		return s, err
	}
	return s, s.startThreads()
}

// prepareProcess changes what children inherit from this process.
func (s *Supervisor) prepareProcess() error {
	if !s.cfg.off.core {
		var before unix.Rlimit
		if err := unix.Prlimit(0, unix.RLIMIT_CORE, nil, &before); err != nil {
			return fmt.Errorf("read limit on core files: %w", err)
		}
		if err := unix.Prlimit(0, unix.RLIMIT_CORE, &unix.Rlimit{Cur: 0, Max: before.Max}, nil); err != nil {
			return fmt.Errorf("set limit on core files: %w", err)
		}
		s.core = &before
	}
	if !s.cfg.off.signals {
		s.catchIgnored()
	}
	return nil
}

// catchIgnored gives children default dispositions for signals heisen was started ignoring (nohup, a
// background job of a shell without job control). Go resets in the child only what it handles itself, so
// handling them here, to no effect, is what resets them there.
func (s *Supervisor) catchIgnored() {
	ignored := ignoredSignals(s.fs)
	if len(ignored) == 0 {
		return
	}
	s.ignored = make(chan os.Signal) // never read: Notify drops what it cannot deliver
	signal.Notify(s.ignored, ignored...)
}

func (s *Supervisor) startThreads() (err error) {
	if s.poll, err = newPoller(); err != nil {
		return err
	}
	if s.kin, err = newKin(s.fs, s.cfg.Campaign, s.layout.base == "" && !s.cfg.off.attribute); err != nil {
		return err
	}
	s.vmstat = newOOMWatch(s.fs)
	null, err := syscall.Open(os.DevNull, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open %s: %w", os.DevNull, err)
	}
	s.spawn = &spawner{null: null, session: !s.cfg.off.session, fork: syscall.ForkExec}
	s.self = os.Getpid()
	s.forking = make(chan struct{}, forksAtOnce)
	if s.masked, err = signalsBlocked(); err != nil {
		return err
	}
	// A fork keeps its Go processor (P) until the child has executed, so there must be others for everything
	// else: with all of them forking, exits and output would wait for the scheduler's preemption.
	s.procs = runtime.GOMAXPROCS(0)
	if s.procs < leastProcs {
		runtime.GOMAXPROCS(leastProcs)
	}
	for range lanes {
		l, err := newLane(s.lanes, s.spawn, func() error { return nil })
		if err != nil {
			return err
		}
		s.threads = append(s.threads, l)
	}
	if s.follow, err = s.newFollowed(); err != nil {
		return err
	}
	s.cells = &cells{layout: s.layout, shared: s.threads[0], spawn: s.spawn, follow: s.cfg.Follow}
	s.swept.Add(1)
	go s.sweepUp()
	return nil
}

// sweepUp reaps adopted processes that ended while their attempt runs on, and samples the kernel's count
// of out-of-memory kills. Attempts' ends do both themselves; this is for attempts that take hours.
func (s *Supervisor) sweepUp() {
	defer s.swept.Done()
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-s.janitor:
			return
		case <-ticker.C:
			s.kin.look()
			s.vmstat.sample(time.Now())
		}
	}
}

// Tier is how attempts are supervised on this machine and what that lacks.
func (s *Supervisor) Tier() run.Tier { return s.tier }

// Strays are those met and killed so far.
func (s *Supervisor) Strays() run.Strays {
	s.kin.mu.Lock()
	defer s.kin.mu.Unlock()
	return s.kin.strays
}

// Close kills what is left of all attempts and removes the campaign's cgroups. Attempts that still run
// are an error: order them to stop and wait for their Run first.
func (s *Supervisor) Close() error {
	s.mu.Lock()
	if s.inflight > 0 {
		defer s.mu.Unlock()
		return fmt.Errorf("close supervisor: %d attempts still run: stop them first", s.inflight)
	}
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.mu.Unlock()
	return s.release()
}

// release gives back whatever was taken, also after an Open that failed half-way.
func (s *Supervisor) release() error {
	var errs []error
	if s.spawn != nil && s.cells != nil {
		close(s.janitor)
		s.swept.Wait()
		for _, c := range s.retired {
			if c.group != nil {
				_ = c.group.kill()
			}
		}
		if !s.cfg.off.kill {
			errs = append(errs, s.kin.clear(clearLimit))
		}
		errs = append(errs, s.cells.close())
	}
	errs = append(errs, s.follow.close())
	close(s.lanes)
	for _, l := range s.threads {
		<-l.done
	}
	if s.spawn != nil {
		_ = syscall.Close(s.spawn.null)
	}
	if s.kin != nil {
		errs = append(errs, s.kin.close())
	}
	if s.poll != nil {
		errs = append(errs, s.poll.close())
	}
	errs = append(errs, s.layout.remove())
	if s.ignored != nil {
		signal.Stop(s.ignored)
	}
	if s.procs > 0 {
		runtime.GOMAXPROCS(s.procs)
	}
	if s.core != nil {
		errs = append(errs, unix.Prlimit(0, unix.RLIMIT_CORE, s.core, nil))
	}
	return errors.Join(errs...)
}
