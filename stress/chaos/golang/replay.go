package golang

import (
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"heisen/stress/chaos"
)

// Suffixes of a decision's kind.
const (
	// done says that the operation was over.
	done = ".done"
	// slowly says that the goroutine was not held once, but starved for that long.
	slowly = ".slowly"
)

// PlanFor draws an attempt's plan. All that was drawn stands in Settings, so that it can be repeated without
// drawing.
func PlanFor(s Strategy, seed uint64, b Bounds) chaos.Plan {
	p := chaos.Plan{Version: chaos.PlanVersion, Strategy: string(s), Seed: seed, MaxHold: b.MaxHold, MaxStarve: b.MaxStarve,
		Budget: b.Budget, Burst: b.Burst, Settings: map[string]string{}, MaxPoints: mostPoints, MaxDecisions: mostDecisions}
	for _, pair := range strings.Split(Draw(s, seed, b).String(), ",") {
		name, value, _ := strings.Cut(pair, "=")
		p.Settings[name] = value
	}
	return p
}

// Environ is what an attempt's environment needs to carry a plan out. pins is a file that the attempt can
// read; it is written only where the plan is a replay.
func Environ(p chaos.Plan, pins string) ([]string, error) {
	if p.Version != chaos.PlanVersion {
		return nil, fmt.Errorf("carry out a plan of version %d: this heisen knows %d: use the one that wrote it", p.Version, chaos.PlanVersion)
	}
	var words []string
	for _, name := range settingNames {
		if v, ok := p.Settings[name]; ok {
			if _, err := strconv.ParseUint(v, 10, 64); err != nil {
				return nil, fmt.Errorf("carry out a plan: %s=%s is no number: take the plan as it was recorded", name, v)
			}
			words = append(words, name+"="+v)
		}
	}
	if p.Replay {
		file, err := pinsOf(p.Decisions)
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(pins, EncodePins(file), 0o600); err != nil {
			return nil, fmt.Errorf("write decisions to repeat: %w: check the folder", err)
		}
		return []string{SettingsVariable + "=" + strings.Join(words, ","), ReplayVariable + "=" + pins}, nil
	}
	return []string{SettingsVariable + "=" + strings.Join(words, ",")}, nil
}

// settingNames are those the runtime knows, in the order of Settings.String.
var settingNames = []string{"on", "seed", "kinds", "yield", "sleep", "starve", "start", "victims", "decay", "min", "max", "long",
	"budget", "burst", "queues", "orders", "leaks", "trace", "told"}

// pinsOf turns recorded decisions back into what the runtime looks up.
func pinsOf(decisions []chaos.Decision) ([]Pin, error) {
	var pins []Pin
	for _, d := range decisions {
		p, err := pinOf(d)
		if err != nil {
			return nil, fmt.Errorf("repeat the decision at %s %s %s: %w", d.Thread, d.Kind, d.Site, err)
		}
		pins = append(pins, p)
	}
	return pins, nil
}

func pinOf(d chaos.Decision) (Pin, error) {
	path, err := strconv.ParseUint(d.Thread, 16, 64)
	if err != nil {
		return Pin{}, errors.New("its thread is no goroutine's path")
	}
	name, starved := strings.CutSuffix(strings.TrimPrefix(d.Kind, LinePrefix), slowly)
	name, after := strings.CutSuffix(name, done)
	point := 2 * kindNumber(name)
	if point < 0 {
		return Pin{}, errors.New("no such operation in this heisen")
	}
	if after {
		point++
	}
	site, err := siteHash(d.Site)
	if err != nil {
		return Pin{}, err
	}
	p := Pin{Key: key(path, site, uint64(point), uint64(d.N)), What: SleepAction, Long: d.Hold}
	switch {
	case starved:
		p.What = StarveAction
	case d.Hold == 0:
		p.What = YieldAction
	}
	return p, nil
}

// siteHash is the runtime's hash of FILE:LINE, where FILE is the last two elements of a path.
func siteHash(site string) (uint64, error) {
	i := strings.LastIndexByte(site, ':')
	if i < 0 {
		return 0, errors.New("its site is no FILE:LINE")
	}
	line, err := strconv.ParseUint(site[i+1:], 10, 31)
	if err != nil {
		return 0, errors.New("its site is no FILE:LINE")
	}
	h := fnv.New64a()
	_, _ = io.WriteString(h, site[:i])
	return mix(h.Sum64(), line), nil
}

// Collect makes the report of an attempt from its event file. Times are taken from began. The plan bounds what one
// process tells; where there were several, what is more than that is counted.
func Collect(events io.Reader, p chaos.Plan, began int64) (chaos.Report, error) {
	told, err := Read(events, Strategy(p.Strategy), began)
	if err != nil {
		return chaos.Report{}, fmt.Errorf("read what the Go runtime told: %w: check the temp folder's disk", err)
	}
	r := chaos.Report{Version: chaos.PlanVersion, Chaos: told.Chaos, Made: told.Made, Threads: told.Trace.Threads,
		Points: told.Trace.Points, Began: began, Lengthened: time.Duration(told.Chaos.Held) * time.Microsecond}
	for _, n := range told.Trace.Dropped {
		r.Dropped += n
	}
	made, points := min(len(r.Made), p.MaxDecisions), min(len(r.Points), p.MaxPoints)
	r.Dropped += int64(len(r.Made) - made + len(r.Points) - points)
	r.Made, r.Points = r.Made[:made], r.Points[:points]
	if told.Processes == 0 {
		r.Unsupported = "the Go runtime told of nothing: the command runs another binary than the one built for it"
	}
	return r, nil
}
