package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"heisen/stress"
	"heisen/stress/durable"
	"heisen/stress/interleave/sched"
	"heisen/stress/proc"
	"heisen/stress/run"
	"heisen/stress/starve"
)

// Files of a campaign that hold measurements over all its attempts.
const (
	seriesFile  = "series.json"
	timingsFile = "timings.json"
	timingsLog  = "timings.hlog"
)

// timingsEvery is how often the histograms are saved: a crash loses no more than that.
const timingsEvery = 30 * time.Second

// openMeter starts to measure, unless the user wants no signals.
func (s *session) openMeter() error {
	if !s.plan.spec.Signals {
		return nil
	}
	meter, err := starve.OpenMeter(starve.Config{SeriesFile: filepath.Join(s.folder.Path(), seriesFile)})
	if err != nil {
		return err
	}
	s.meter = meter
	s.closeLater(meter.Close)
	s.openRecorder()
	return nil
}

// openRecorder has the scheduler's own record taken where the machine gives it; where it does not, the
// signals say why.
func (s *session) openRecorder() {
	recorder, err := sched.Open(sched.Config{})
	if err != nil {
		s.noRecord = err.Error()
		return
	}
	s.closeLater(recorder.Close)
	s.recorder, s.recorded = recorder, sched.NewAttempts(recorder)
}

// measure hooks what measures into the supervision of attempts.
func (s *session) measure(cfg *proc.Config) {
	if s.meter == nil {
		return
	}
	cfg.OnZombie = s.meter.Zombie
	cfg.OnStart = func(a run.Attempt, pid int, at proc.Place) {
		s.meter.Started(a, pid, at.Group, at.CPU)
		if at.Followed {
			s.recorded.Started(a, pid, at.Forked)
		}
	}
	if s.recorded == nil {
		return
	}
	cfg.Followed = s.recorded.Choose
	cfg.Follow = func() (func() error, error) {
		follower, err := s.recorder.Follow()
		if err != nil {
			return nil, err
		}
		return follower.Close, nil
	}
}

// measured wraps the runner so that every result carries its signals.
func (s *session) measured(runner stress.Runner) (stress.Runner, error) {
	if s.meter == nil {
		return runner, nil
	}
	markers, err := starve.CompileMarkers(s.plan.spec.Markers)
	if err != nil {
		return nil, usageError{err}
	}
	if s.recorded != nil {
		runner = sched.Recorded(runner, s.recorded)
	}
	return starve.Timed(starve.Measured(runner, s.meter), markers), nil
}

// notCollected says why signals are missing in this session.
func (s *session) notCollected() map[string]string {
	if s.meter != nil {
		why := s.meter.NotCollected()
		if s.recorded != nil {
			delete(why, run.SigMigrations)
		} else {
			why[run.SigMigrations] = s.noRecord
		}
		return why
	}
	why := map[string]string{}
	for _, signal := range run.SignalTable() {
		why[signal.Name] = "switched off (--no-signals)"
	}
	return why
}

// timings is a sink that keeps the campaign's histograms of how long things took.
type timings struct {
	*starve.Timings
	dir   string
	began time.Time
	stop  chan struct{}
	saved sync.WaitGroup
}

func openTimings(dir string, began time.Time) (*timings, error) {
	data, err := os.ReadFile(filepath.Join(dir, timingsFile))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("read timings: %w", err)
	}
	restored, err := starve.RestoreTimings(data)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w: move the file away to begin anew", timingsFile, err)
	}
	t := &timings{Timings: restored, dir: dir, began: began, stop: make(chan struct{})}
	t.saved.Go(t.keep)
	return t, nil
}

// Emit counts a finished attempt.
func (t *timings) Emit(e run.Event) {
	if fin, ok := e.(run.Finished); ok {
		t.RecordFinished(fin)
	}
}

func (t *timings) keep() {
	ticker := time.NewTicker(timingsEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			_ = t.save() // Close tells of an error that lasts
		case <-t.stop:
			return
		}
	}
}

// Close saves what was counted, for a resume and in the HDR log format for plotters.
func (t *timings) Close() error {
	close(t.stop)
	t.saved.Wait()
	return t.save()
}

func (t *timings) save() error {
	data, err := t.Snapshot()
	if err != nil {
		return fmt.Errorf("save timings: %w", err)
	}
	if err := durable.WriteFile(filepath.Join(t.dir, timingsFile), data, nil); err != nil {
		return fmt.Errorf("save timings: %w", err)
	}
	var log bytes.Buffer
	if err := errors.Join(starve.WriteLogHeader(&log, t.began), t.AppendLog(&log, t.began, time.Now())); err != nil {
		return fmt.Errorf("save timings: %w", err)
	}
	return durable.WriteFile(filepath.Join(t.dir, timingsLog), log.Bytes(), nil)
}

// selfStats prints what measuring itself cost.
func (s *session) selfStats() {
	if s.meter == nil {
		return
	}
	fmt.Fprintf(s.stderr, "%s\n", s.meter.Stats())
}
