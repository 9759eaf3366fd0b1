package golang

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// Variables that the overlaid runtime reads.
const (
	// SettingsVariable holds a Settings.
	SettingsVariable = "HEISEN_GO"
	// EventsVariable names the file the trace goes to, where it is not the attempt's own event channel.
	EventsVariable = "HEISEN_GO_EVENTS"
	// ReplayVariable names a file of pinned decisions.
	ReplayVariable = "HEISEN_GO_REPLAY"
)

// Limits of what one attempt may write and of how long it may be held.
const (
	mostPoints    = 4_000
	mostDecisions = 20_000
)

// Strategy is one way to disturb goroutines.
type Strategy string

// The strategies. Each is for bugs of another depth: see docs/chaos-go.md.
const (
	// Hold sleeps a little and yields at points of all kinds: for windows of a few instructions to a few
	// milliseconds between two operations.
	Hold Strategy = "go-hold"
	// Starve keeps a few goroutines from running for long, from their first instruction on or later: for
	// tests that take a time for an order.
	Starve Strategy = "go-starve"
	// Yield only yields, and shuffles run queues: for windows that any switch opens. It costs next to nothing.
	Yield Strategy = "go-yield"
	// Calm carries the hooks and does nothing.
	Calm Strategy = "go-calm"
)

// Strategies are those that disturb.
var Strategies = []Strategy{Hold, Starve, Yield}

// Bounds are the user's: how long one hold, one starve interval and all holds together may be.
type Bounds struct {
	MaxHold, MaxStarve, Budget, Burst time.Duration
}

// Settings are what one attempt's runtime is told. Chances are of 65536.
type Settings struct {
	Seed                        uint64
	Kinds                       uint64 // bit 2k: before operation k; 2k+1: after it
	Yield, Sleep, Starve, Start uint32
	Victims                     uint32 // of 256
	Decay                       uint32 // a place's holds become rarer after so many times; 0 for never
	Min, Max, Long              time.Duration
	Budget, Burst               time.Duration // see chaos.Plan
	Queues, Orders, Leaks, On   bool
	Replay                      string // file of pinned decisions, "" for none
	Trace, Told                 int    // how many operations and decisions may be written
}

// Draw chooses an attempt's settings: a swarm, each attempt with kinds, victims, chances and lengths of its
// own, because a bug that needs one goroutine slow and another fast is hidden by slowing both.
func Draw(s Strategy, seed uint64, b Bounds) Settings {
	r := rand.New(rand.NewPCG(seed, 0x676f)) // a stream apart from what the test may draw from the same seed
	set := Settings{Seed: seed, On: true, Kinds: drawKinds(r), Victims: 256, Queues: r.IntN(2) == 0, Orders: true,
		Budget: b.Budget, Burst: b.Burst, Trace: mostPoints, Told: mostDecisions}
	switch s {
	case Hold:
		set.Yield = pick[uint32](r, 0, 8192, 16384)
		set.Sleep = pick[uint32](r, 8192, 16384, 32768)
		set.Start = pick[uint32](r, 8192, 16384, 32768)
		set.Min, set.Max = 50*time.Microsecond, pick(r, time.Millisecond, 4*time.Millisecond, 16*time.Millisecond)
		set.Victims, set.Decay = pick[uint32](r, 256, 256, 128), pick[uint32](r, 4, 16)
	case Starve:
		set.Sleep, set.Starve, set.Start = 1024, pick[uint32](r, 2048, 8192), pick[uint32](r, 32768, 65536)
		set.Min, set.Max, set.Long = 4*time.Millisecond, 50*time.Millisecond, pick(r, 20*time.Millisecond, 200*time.Millisecond)
		set.Victims, set.Decay = pick[uint32](r, 64, 128, 192), 4
	case Yield:
		set.Yield, set.Queues = pick[uint32](r, 16384, 32768, 49152), true
	case Calm:
		return Settings{Seed: seed, On: true, Trace: mostPoints, Told: mostDecisions}
	}
	set.Max, set.Long = min(set.Max, b.MaxHold), min(set.Long, b.MaxStarve)
	set.Min = min(set.Min, max(set.Max, time.Microsecond))
	return set
}

// drawKinds takes all kinds half of the time, and otherwise each with a chance of a half, before and after
// together; starting late is always among them.
func drawKinds(r *rand.Rand) uint64 {
	all := uint64(1)<<(2*len(kinds)) - 1
	if r.IntN(2) == 0 {
		return all
	}
	set := uint64(0b11) << (2 * kindNumber("start"))
	for k := range kinds {
		if r.IntN(2) == 0 {
			set |= 0b11 << (2 * k)
		}
	}
	return set
}

func pick[T any](r *rand.Rand, values ...T) T { return values[r.IntN(len(values))] }

// String is the settings as the runtime reads them: NAME=NUMBER, separated by commas.
func (s Settings) String() string {
	var b strings.Builder
	put := func(name string, v uint64) {
		if v != 0 {
			fmt.Fprintf(&b, "%s=%d,", name, v)
		}
	}
	flag := func(on bool) uint64 {
		if on {
			return 1
		}
		return 0
	}
	put("on", flag(s.On))
	put("seed", s.Seed)
	put("kinds", s.Kinds)
	put("yield", uint64(s.Yield))
	put("sleep", uint64(s.Sleep))
	put("starve", uint64(s.Starve))
	put("start", uint64(s.Start))
	put("victims", uint64(s.Victims))
	put("decay", uint64(s.Decay))
	put("min", uint64(s.Min))
	put("max", uint64(s.Max))
	put("long", uint64(s.Long))
	put("budget", uint64(s.Budget))
	put("burst", uint64(s.Burst))
	put("queues", flag(s.Queues))
	put("orders", flag(s.Orders))
	put("leaks", flag(s.Leaks))
	put("trace", uint64(s.Trace))
	put("told", uint64(s.Told))
	return strings.TrimSuffix(b.String(), ",")
}

// Environ is what the attempt's environment needs for them.
func (s Settings) Environ() []string {
	env := []string{SettingsVariable + "=" + s.String()}
	if s.Replay != "" {
		env = append(env, ReplayVariable+"="+s.Replay)
	}
	return env
}

// Pin is one decision to repeat: the hash of its address, what to do, and for how long.
type Pin struct {
	Key  uint64
	What Action
	Long time.Duration
}

// Action is what is done at an address.
type Action int

// The actions, as the runtime numbers them.
const (
	NoAction Action = iota
	YieldAction
	SleepAction
	StarveAction
)

func (a Action) String() string {
	switch a {
	case YieldAction:
		return "yield"
	case SleepAction:
		return "sleep"
	case StarveAction:
		return "starve"
	}
	return "action " + strconv.Itoa(int(a))
}

// EncodePins is the file that Settings.Replay names: an open-addressed table as the runtime searches it, after
// one entry that holds its length.
func EncodePins(pins []Pin) []byte {
	size := uint64(1) << bits.Len(uint(2*len(pins)))
	table := make([][2]uint64, size)
	for _, p := range pins {
		i := p.Key & (size - 1)
		for table[i][0] != 0 && table[i][0] != p.Key {
			i = (i + 1) & (size - 1)
		}
		table[i] = [2]uint64{p.Key, uint64(p.Long)<<2 | uint64(p.What)}
	}
	out := binary.NativeEndian.AppendUint64(binary.NativeEndian.AppendUint64(nil, 0), size)
	for _, e := range table {
		out = binary.NativeEndian.AppendUint64(binary.NativeEndian.AppendUint64(out, e[0]), e[1])
	}
	return out
}

// mix is the runtime's hash of two numbers.
func mix(a, b uint64) uint64 {
	x := a ^ (b+0x9e3779b97f4a7c15)*0xbf58476d1ce4e5b9
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

// key is the hash of an address, as the runtime computes it.
func key(path, site, point, n uint64) uint64 { return mix(mix(path, mix(site, point)), n) }
