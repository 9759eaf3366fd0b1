package contrast_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"heisen/stress/contrast"
	"heisen/stress/run"
)

func roundTrip(t require.TestingT, s *contrast.Sample) *contrast.Sample {
	data, err := json.Marshal(s)
	require.NoError(t, err)
	back := contrast.New()
	require.NoError(t, json.Unmarshal(data, back))
	again, err := json.Marshal(back)
	require.NoError(t, err)
	require.Equal(t, string(data), string(again))
	return back
}

// anyAttempt draws an attempt that may lack anything and hold anything.
func anyAttempt(t *rapid.T) run.Finished {
	number := rapid.OneOf(rapid.Int64Range(0, 5), rapid.Int64Range(-1, 1<<34), rapid.Just[int64](math.MaxInt64))
	fin := run.Finished{
		Seq: rapid.Int64Range(1, 20_000).Draw(t, "seq"), Epoch: rapid.IntRange(1, 2).Draw(t, "epoch"),
		Outcome: rapid.SampledFrom(run.Outcomes()).Draw(t, "outcome"),
		Wall:    number.Draw(t, "wall"), User: number.Draw(t, "user"), System: number.Draw(t, "system"),
		Signals: rapid.MapOf(rapid.SampledFrom(append(signalNames(), "unknown")), number).Draw(t, "signals"),
	}
	if rapid.Bool().Draw(t, "filed") {
		fin.Filed = &run.Filed{Signature: rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "signature")}
	}
	return fin
}

func signalNames() (names []string) {
	for _, s := range run.SignalTable() {
		names = append(names, s.Name)
	}
	return names
}

func requireSane(t require.TestingT, f contrast.Finding) {
	require.NotEmpty(t, f.Sentence)
	require.NotContains(t, f.Sentence, "NaN")
	require.NotContains(t, f.Sentence, "Inf")
	_, err := json.Marshal(f)
	require.NoError(t, err, "NaN or infinity in a figure")
	for _, s := range f.Signals {
		if s.AUC != nil {
			require.True(t, *s.AUC >= 0 && *s.AUC <= 1, s.Name)
			require.True(t, *s.P > 0 && *s.P <= 1, s.Name)
		}
		require.True(t, s.Pass == nil || s.PassQuartiles[0] <= *s.Pass && *s.Pass <= s.PassQuartiles[1], s.Name)
	}
}

// TestAnythingGivesFiniteFigures adds records of any content in any order; a snapshot in between changes
// nothing.
func TestAnythingGivesFiniteFigures(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(rapid.Custom(anyAttempt), 0, 60).Draw(t, "attempts")
		cut := rapid.IntRange(0, len(list)).Draw(t, "cut")
		whole, resumed := contrast.New(), contrast.New()
		for i, fin := range list {
			if i == cut {
				resumed = roundTrip(t, resumed)
			}
			whole.Add(fin)
			resumed.Add(fin)
		}
		f := whole.Compare(nil)
		requireSane(t, f)
		require.Equal(t, f, resumed.Compare(nil))
		for _, sig := range whole.Signatures() {
			requireSane(t, whole.CompareSignature(sig, nil))
		}
	})
}

// TestOrderOfNeighboursDoesNotMatter adds attempts that ran together in two orders of their ends.
func TestOrderOfNeighboursDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfNDistinct(rapid.Custom(anyAttempt), 0, 60, func(f run.Finished) int64 { return f.Seq % 200 }).Draw(t, "attempts")
		a, b := contrast.New(), contrast.New()
		for i := range list {
			list[i].Seq %= 200
		}
		for _, fin := range list {
			a.Add(fin)
		}
		for _, fin := range rapid.Permutation(list).Draw(t, "order") {
			b.Add(fin)
		}
		left, right := a.Compare(nil), b.Compare(nil)
		require.Equal(t, left.Verdict, right.Verdict)
		require.Equal(t, left.Failures, right.Failures)
		for i := range left.Signals {
			require.Equal(t, left.Signals[i].Pass, right.Signals[i].Pass)
			if left.Signals[i].P != nil {
				require.InEpsilon(t, *left.Signals[i].P, *right.Signals[i].P, 1e-9)
			}
		}
	})
}

// long plays a long campaign in which one attempt in four fails, mostly in common ways, every thousandth
// in a rare one.
func long(attempts int64) *contrast.Sample {
	r := rand.New(rand.NewPCG(7, 7))
	s := contrast.New()
	signals := run.Signals{}
	for seq := int64(1); seq <= attempts; seq++ {
		for i, name := range signalNames() {
			signals[name] = int64(r.ExpFloat64() * float64(int64(10)<<i))
		}
		fin := run.Finished{Seq: seq, Outcome: run.Pass, Wall: 5000, User: 4000, System: 500, MaxRSS: 9000, Signals: signals}
		switch {
		case seq%1000 == 0:
			fin = failing(fin, "rare")
		case seq%4 == 0:
			fin = failing(fin, fmt.Sprintf("%012x", seq%7))
		case seq%399 == 0:
			fin = failing(fin, fmt.Sprintf("%012x", seq))
		}
		s.Add(fin)
	}
	return s
}

func TestMemoryIsBounded(t *testing.T) {
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	s := long(40_000)
	held := int64(heap()) - int64(before)
	data, err := json.Marshal(s)
	require.NoError(t, err)
	t.Logf("%d KB in memory, %d KB as JSON, %d signatures", held/1000, len(data)/1000, len(s.Signatures()))
	require.Less(t, held, int64(1_000_000))
	require.Less(t, len(data), 600_000)
	// 40 failures of 10,000: rare ones keep their places.
	require.GreaterOrEqual(t, s.CompareSignature("rare", nil).Failures, contrast.LeastNotStarved)
	require.Equal(t, s.Compare(nil), roundTrip(t, s).Compare(nil))
	runtime.KeepAlive(s)
}

func BenchmarkAdd(b *testing.B) {
	s := long(40_000)
	fin := attempt(0, 500, 10_000)
	for _, name := range signalNames() {
		fin.Signals[name] = 5000
	}
	for fin.Seq = 40_001; b.Loop(); fin.Seq++ {
		s.Add(fin)
	}
}

func BenchmarkCompare(b *testing.B) {
	s := long(40_000)
	for b.Loop() {
		s.Compare(nil)
	}
}

func TestSnapshotOfOtherColumns(t *testing.T) {
	s := campaign(400, 20, func(seq int64, _ bool) int64 { return seq })
	data, err := json.Marshal(s)
	require.NoError(t, err)
	var doc map[string]any
	require.NoError(t, json.Unmarshal(data, &doc))
	columns := doc["columns"].([]any)
	for i, name := range columns {
		if name == run.SigRunDelayWorst {
			columns[i] = "of_another_version"
		}
	}
	data, err = json.Marshal(doc)
	require.NoError(t, err)
	back := contrast.New()
	require.NoError(t, json.Unmarshal(data, back))
	f := back.Compare(nil)
	require.NotEmpty(t, signal(t, f, run.SigRunDelayWorst).NotCollected)
	require.Equal(t, *signal(t, s.Compare(nil), "cpu_us").Fail, *signal(t, f, "cpu_us").Fail)
}

func FuzzUnmarshal(f *testing.F) {
	data, err := json.Marshal(campaign(100, 20, func(seq int64, _ bool) int64 { return seq }))
	require.NoError(f, err)
	f.Add(data)
	f.Add([]byte(`{"columns":["wall_us"],"blocks":[{"n":1,"e":1,"p":["AgI="],"f":["AgI="],"s":["x"]}]}`))
	f.Add([]byte(`{"blocks":[{"n":1,"f":["AA=="]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s := contrast.New()
		if json.Unmarshal(data, s) != nil {
			require.Zero(t, s.Compare(nil).Failures)
			return
		}
		requireSane(t, s.Compare(nil))
		s.Add(run.Finished{Seq: 1, Outcome: run.Fail})
		requireSane(t, roundTrip(t, s).Compare(nil))
	})
}
