package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"heisen/stress"
	"heisen/stress/durable"
	"heisen/stress/interleave"
	"heisen/stress/interleave/events"
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
	if err := s.openRecorder(); err != nil {
		return err
	}
	if !s.plan.spec.Signals {
		return nil
	}
	meter, err := starve.OpenMeter(starve.Config{SeriesFile: filepath.Join(s.folder.Path(), seriesFile)})
	if err != nil {
		return err
	}
	s.meter = meter
	s.closeLater(meter.Close)
	return nil
}

// measure hooks what measures into the supervision of attempts.
func (s *session) measure(cfg *proc.Config) {
	if s.meter != nil {
		cfg.OnZombie = s.meter.Zombie
	}
	cfg.OnStart = func(a run.Attempt, pid int, at proc.Place) {
		if s.meter != nil {
			s.meter.Started(a, pid, at.Group, at.CPU)
		}
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

// measured wraps the runner so that every result carries its signals, its trace and its variant. Attempts can
// tell events by a file below root, and by what they print.
func (s *session) measured(runner stress.Runner, root string) (stress.Runner, error) {
	markers, err := events.CompileMarkers(s.plan.spec.Markers)
	if err != nil {
		return nil, usageError{err}
	}
	channel, err := events.Open(root)
	if err != nil {
		return nil, err
	}
	s.closeLater(channel.Close)
	if s.meter != nil {
		runner = starve.Measured(runner, s.meter)
	}
	if s.recorded != nil { // around the meter: the record knows some figures exactly that a sampler has bounds of
		runner = sched.Recorded(runner, s.recorded)
	}
	runner = events.Told(runner, channel, events.NewLines(markers))
	if s.meter != nil {
		runner = starve.Timed(runner, len(s.plan.spec.Markers) > 0)
	}
	return interleave.Woven(runner), nil
}

// notCollected says why signals are missing in this session.
func (s *session) notCollected() map[string]string {
	if s.meter != nil {
		why := s.meter.NotCollected()
		for _, name := range sched.RecordOnly() {
			if s.recorded != nil {
				delete(why, name)
			} else {
				why[name] = s.noRecord
			}
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
	*saver
	dir   string
	began time.Time
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
	t := &timings{Timings: restored, dir: dir, began: began}
	t.saver = saveEvery(timingsEvery, t.write)
	return t, nil
}

// Emit counts a finished attempt; how long a disturbed one took was decided on purpose.
func (t *timings) Emit(e run.Event) {
	if fin, ok := e.(run.Finished); ok && fin.Chaos == nil {
		t.RecordFinished(fin)
	}
}

// write saves what was counted, for a resume and in the HDR log format for plotters.
func (t *timings) write() error {
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
