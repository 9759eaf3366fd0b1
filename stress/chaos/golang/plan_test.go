package golang

import (
	"encoding/binary"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDrawDependsOnTheSeedAlone(t *testing.T) {
	different := map[string]bool{}
	for _, s := range Strategies {
		for seed := range uint64(50) {
			set := Draw(s, seed, bounds)
			assert.Equal(t, set, Draw(s, seed, bounds))
			set.Seed = 0
			different[set.String()] = true
		}
	}
	assert.Greater(t, len(different), 60, "a swarm: attempts are not alike")
}

func TestDrawKeepsTheUsersBounds(t *testing.T) {
	tight := Bounds{MaxHold: 3 * time.Millisecond, MaxStarve: 5 * time.Millisecond, Budget: time.Second}
	for _, s := range Strategies {
		for seed := range uint64(100) {
			set := Draw(s, seed, tight)
			assert.LessOrEqual(t, set.Max, tight.MaxHold)
			assert.LessOrEqual(t, set.Long, tight.MaxStarve)
			assert.LessOrEqual(t, set.Min, max(set.Max, time.Microsecond))
			assert.Equal(t, tight.Budget, set.Budget)
			assert.NotZero(t, set.Kinds&(0b11<<(2*kindNumber("start"))))
		}
	}
}

func TestCalmHoldsNothing(t *testing.T) {
	set := Draw(Calm, 3, bounds)
	assert.Zero(t, set.Kinds)
	assert.Zero(t, set.Start)
	assert.True(t, set.On)
	assert.False(t, set.Queues)
}

func TestSettingsText(t *testing.T) {
	s := Settings{On: true, Seed: 7, Yield: 3, Max: time.Millisecond, Replay: "/tmp/pins"}
	assert.Equal(t, "on=1,seed=7,yield=3,max=1000000", s.String())
	assert.Equal(t, []string{"HEISEN_GO=" + s.String(), "HEISEN_GO_REPLAY=/tmp/pins"}, s.Environ())
	assert.Equal(t, "", Settings{}.String())
	assert.Equal(t, []string{"HEISEN_GO=leaks=1"}, Settings{Leaks: true}.Environ())
}

// TestEncodePinsIsSearchable looks every pin up as the runtime does.
func TestEncodePinsIsSearchable(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	for _, n := range []int{0, 1, 2, 7, 1000} {
		var pins []Pin
		for range n {
			pins = append(pins, Pin{Key: r.Uint64() | 1, What: SleepAction, Long: time.Duration(r.IntN(1e9))})
		}
		file := EncodePins(pins)
		size := binary.NativeEndian.Uint64(file[8:])
		table := file[16:]
		require.Len(t, table, int(size)*16)
		require.Zero(t, size&(size-1))
		at := func(i uint64) (uint64, uint64) {
			return binary.NativeEndian.Uint64(table[i*16:]), binary.NativeEndian.Uint64(table[i*16+8:])
		}
		for _, p := range pins {
			i := p.Key & (size - 1)
			k, what := at(i)
			for ; k != p.Key; k, what = at(i) {
				require.NotZero(t, k, "the search ended before the pin")
				i = (i + 1) & (size - 1)
			}
			assert.Equal(t, uint64(p.Long), what>>2)
			assert.Equal(t, uint64(SleepAction), what&3)
		}
	}
}

func TestRead(t *testing.T) {
	text := strings.Join([]string{
		"@1000:7: go.new 2 1 a/b.go:3 1 99",
		"@1500:7: go.op 1 chan.send a/b.go:4 1",
		"@1600:7: go.held 2 99 mutex.lock.done 13 a/b.go:9 42 3 2 5000",
		"phase_begins of the test itself",
		"@1700:7:12 marker x",
		"@1800:7: go.op 2 select a/b.go:10",     // a field short
		"@1900:7: go.unheard 1",                 // another version's
		"@1950:8: go.op 1 chan.recv c/d.go:1 1", // another process
		"@2000:7: go.sum 4 3 1 10 7000 5000",
		"@2100:7: go.op 1 chan.se",
	}, "\n")
	told, err := Read(strings.NewReader(text), Hold, 1000)
	require.NoError(t, err)
	assert.Equal(t, 2, told.Bad)
	assert.Equal(t, 2, told.Processes)
	assert.Equal(t, 1, told.Ended)
	assert.Equal(t, int64(4), told.Chaos.Planned)
	assert.Equal(t, int64(3), told.Chaos.Made)
	assert.Equal(t, int64(1), told.Chaos.Skipped)
	assert.Equal(t, int64(7), told.Chaos.Held)
	require.Len(t, told.Made, 1)
	assert.Equal(t, "63", told.Made[0].Thread)
	assert.Equal(t, "go.mutex.lock.done", told.Made[0].Kind)
	assert.Equal(t, "a/b.go:9", told.Made[0].Site)
	assert.Equal(t, int64(3), told.Made[0].N)
	assert.Equal(t, []Pin{{key(99, 42, 13, 3), SleepAction, 5000}}, told.Pins)
	var names []string
	for _, th := range told.Trace.Threads {
		names = append(names, th.Name)
	}
	assert.Equal(t, []string{"main", "a/b.go:3#1", "main"}, names)
	assert.Equal(t, 0, told.Trace.Threads[1].Parent)
	require.Len(t, told.Trace.Points, 3)
	assert.Equal(t, "go", told.Trace.Points[0].Name)
	assert.Equal(t, 500*time.Nanosecond, told.Trace.Points[1].At)
	assert.Equal(t, []string{"a/b.go:4"}, told.Trace.Points[1].Fields)
	assert.Equal(t, 2, told.Trace.Points[2].Thread)
}
