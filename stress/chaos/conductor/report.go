package conductor

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"syscall"
	"time"
	"unicode/utf8"

	"heisen/stress/chaos"
	"heisen/stress/run"
)

const (
	// mostReport is far more bytes than the bounded lists of a report can take.
	mostReport = 16 << 20
	// mostText bounds each of its strings, mostTime each of its times.
	mostText = 1 << 10
	mostTime = 30 * 24 * time.Hour
)

// readReport reads what the tracer left. The test runs with the same rights and could have written it: its size,
// kind and every figure are checked, and a link is not followed.
func readReport(path string, plan *chaos.Plan) (*chaos.Report, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil, errors.New("it died")
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.New("it is no file")
	}
	data, err := io.ReadAll(io.LimitReader(file, mostReport+1))
	if err != nil {
		return nil, err
	}
	if len(data) > mostReport {
		return nil, fmt.Errorf("it is larger than %d bytes", mostReport)
	}
	var r chaos.Report
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, err
	}
	return &r, checkReport(&r, plan)
}

// checkReport refuses what no tracer of this version writes.
func checkReport(r *chaos.Report, plan *chaos.Plan) error {
	switch {
	case r.Version != chaos.PlanVersion:
		return fmt.Errorf("it is of version %d, this heisen reads %d", r.Version, chaos.PlanVersion)
	case len(r.Made) > plan.MaxDecisions || len(r.Points) > plan.MaxPoints || len(r.Threads) > mostReport/64:
		return errors.New("it holds more than was asked for")
	case len(r.Reached) > len(plan.Breakpoints):
		return errors.New("it tells of breakpoints that were not asked for")
	case slices.ContainsFunc(r.Reached, func(b chaos.Reached) bool { return b.Times < 0 || b.Threads < 0 }):
		return errors.New("it counts less than nothing")
	case r.Chaos.Planned < 0 || r.Chaos.Made < 0 || r.Chaos.Skipped < 0 || r.Chaos.Stops < 0 || r.Dropped < 0 || r.Steps < 0:
		return errors.New("it counts less than nothing")
	case !sane(r.Lengthened) || !sane(r.Tracing) || !sane(r.Ended) || !sane(r.Usage.User) || !sane(r.Usage.System) || r.Usage.MaxRSS < 0,
		!sane(micro(r.Chaos.Held)) || !sane(micro(r.Chaos.Longest)) || !sane(micro(r.Chaos.Tracer)):
		return errors.New("it has impossible times")
	}
	for i := range r.Made {
		m := &r.Made[i]
		if !sane(m.Held) || !sane(m.Hold) || !sane(m.At) || m.N < 0 || m.Steps < 0 || !sane(m.CPU) {
			return errors.New("it has an impossible hold")
		}
		cut(&m.Thread, &m.Kind, &m.Site, &m.Name, &m.Call, &m.PC)
	}
	cutStacks(r)
	if err := checkTrace(r.Threads, r.Points); err != nil {
		return err
	}
	cut(&r.Fault, &r.Unsupported, &r.Spoiled, &r.Drawn, &r.Chaos.Unsupported)
	r.Notes = r.Notes[:min(len(r.Notes), 10)]
	for i := range r.Notes {
		cut(&r.Notes[i])
	}
	return nil
}

// cutStacks bounds what is told of stacks.
func cutStacks(r *chaos.Report) {
	cut(&r.NoStacks)
	r.Stacks = r.Stacks[:min(len(r.Stacks), chaos.MostStacks)]
	for i := range r.Stacks {
		s := &r.Stacks[i]
		cut(&s.Thread, &s.Name)
		s.Frames = s.Frames[:min(len(s.Frames), chaos.MostFrames)]
		for f := range s.Frames {
			cut(&s.Frames[f])
		}
	}
}

func checkTrace(threads []run.Thread, points []run.Point) error {
	for i := range threads {
		t := &threads[i]
		if t.Parent < -1 || t.Parent >= len(threads) || t.Created > mostTime || t.FirstRun > mostTime || t.Exited > mostTime {
			return errors.New("it has an impossible thread")
		}
		cut(&t.Name)
	}
	for i := range points {
		p := &points[i]
		if p.Thread < -1 || p.Thread >= len(threads) || !sane(p.At) {
			return errors.New("it has an impossible point")
		}
		cut(&p.Name)
		p.Fields = p.Fields[:min(len(p.Fields), 16)]
		for f := range p.Fields {
			cut(&p.Fields[f])
		}
	}
	return nil
}

func sane(d time.Duration) bool { return d >= 0 && d <= mostTime }

func micro(us int64) time.Duration {
	if us < 0 || us > int64(mostTime/time.Microsecond) {
		return -1
	}
	return time.Duration(us) * time.Microsecond
}

// cut shortens texts that are too long.
func cut(texts ...*string) {
	for _, t := range texts {
		if len(*t) <= mostText {
			continue
		}
		end := mostText
		for end > 0 && !utf8.RuneStart((*t)[end]) {
			end--
		}
		*t = (*t)[:end]
	}
}
