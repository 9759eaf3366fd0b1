package soak_test

import (
	"math"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/repro/soak"
)

// soaked plays hours of a soak: an attempt every ten seconds or so, whose values share a minute's noise, and what
// shape says of the time in hours. look is called after every whole hour, if there is one.
func soaked(r *rand.Rand, hours int, shape func(at float64) (slow, rate, memory float64), look ...func(*soak.Watch)) *soak.Watch {
	w := soak.NewWatch("memory", "descriptors")
	minute, noise, looked := -1, 0.0, 0
	for at := time.Duration(0); at < time.Duration(hours)*time.Hour+time.Minute; at += time.Duration(r.IntN(20_000)) * time.Millisecond {
		if m := int(at / time.Minute); m != minute {
			minute, noise = m, math.Exp(0.3*r.NormFloat64())
		}
		slow, rate, memory := shape(at.Hours())
		w.Add(soak.Sample{At: at, Failed: r.Float64() < rate, Signals: map[string]float64{
			"wall_ms": 100 * slow * noise * math.Exp(0.2*r.NormFloat64()), "run_delay_ms": noise * r.ExpFloat64(),
			"memory": 1e7 * memory * (1 + 0.02*r.NormFloat64()), "descriptors": 12,
		}})
		for ; looked < w.Hours(); looked++ {
			for _, l := range look {
				l(w)
			}
		}
	}
	return w
}

func level(float64) (float64, float64, float64) { return 1, 0.05, 1 }

func signals(list []soak.Notice) (names []string) {
	for _, n := range list {
		names = append(names, n.Signal)
	}
	return names
}

// Read after every hour of eight, a level soak is told to drift or grow in at most 1 % each.
func TestWatchIsSilentOnALevelSoak(t *testing.T) {
	soaks := 25
	if os.Getenv("HEISEN_SLOW_TESTS") == "1" {
		soaks = 1000
	}
	seed := uint64(time.Now().UnixNano())
	r, told := rand.New(rand.NewPCG(seed, 0)), 0
	for range soaks {
		ever := false
		soaked(r, 8, level, func(w *soak.Watch) {
			for _, n := range w.Notices() {
				ever = true
				t.Log(n.Sentence())
			}
		})
		if ever {
			told++
		}
	}
	t.Logf("seed %d: %d of %d told something", seed, told, soaks)
	require.LessOrEqual(t, told, 1+soaks*2/100+int(4*math.Sqrt(float64(soaks)*0.02)))
}

func TestWatchTellsDrift(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	slower := soaked(r, 4, func(at float64) (float64, float64, float64) { return 1 + at/4, 0.05, 1 })
	require.Equal(t, []string{"wall_ms"}, signals(slower.Notices()))
	require.Regexp(t, `^the last hour is unlike the first: wall_ms 1[5-9]\d, 1[0-2]\d then \(p = `, slower.Notices()[0].Sentence())
	rate := soaked(r, 3, func(at float64) (float64, float64, float64) { return 1, 0.05 + 0.1*math.Floor(at), 1 })
	require.Equal(t, []string{"failure rate"}, signals(rate.Notices()))
	small := soaked(r, 4, func(at float64) (float64, float64, float64) { return 1 + at/100, 0.05, 1 })
	require.Empty(t, small.Notices())
}

func TestWatchTellsGrowth(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 3))
	leak := soaked(r, 6, func(at float64) (float64, float64, float64) { return 1, 0.05, 1 + 0.1*at })
	list := leak.Notices()
	require.Equal(t, []string{"memory", "memory"}, signals(list), "as growth, and as an hour unlike the first")
	require.True(t, list[0].Grows || list[1].Grows)
	tiny := soaked(r, 6, func(at float64) (float64, float64, float64) { return 1, 0.05, 1 + 0.005*at })
	for _, n := range tiny.Notices() {
		require.False(t, n.Grows, "3 %% in six hours is not told as growth")
	}
}

func TestWatchNeedsTwoHours(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 4))
	require.Empty(t, soaked(r, 1, func(at float64) (float64, float64, float64) { return 1 + at*10, at, 1 + at }).Notices())
	require.Empty(t, soak.NewWatch().Notices())
	late := soak.NewWatch("memory")
	for h := range 5 {
		for b := range 20 {
			at := time.Duration(h)*time.Hour + time.Duration(b)*3*time.Minute
			s := soak.Sample{At: at, Signals: map[string]float64{}}
			if h == 3 {
				s.Signals["late"] = 1
			}
			late.Add(s)
		}
	}
	require.Empty(t, late.Notices(), "a signal that was not there in the first hour cannot be compared")
}
