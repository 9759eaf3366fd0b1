package stress_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/stress"
	"heisen/stress/journal"
	"heisen/stress/run"
	"heisen/stress/tally"
)

// instant is a runner whose attempts take no time: one in a hundred thousand fails.
type instant struct{ made atomic.Int64 }

func (r *instant) Run(a run.Attempt, _ *run.Control) run.Result {
	n := r.made.Add(1)
	res := run.Result{Started: time.Now(), Wall: time.Duration(1000+n%997) * time.Microsecond}
	res.Usage = run.Usage{User: time.Duration(n%313) * time.Microsecond, System: time.Millisecond, MaxRSS: 8 << 20}
	if a.Seq%100_000 == 0 {
		res.Ending.Code = 1
	}
	return res
}

// nowhere is a workspace without folders.
type nowhere struct{}

func (nowhere) Prepare(int) (string, error) { return "/nowhere", nil }
func (nowhere) Release(int) error           { return nil }

// Archive keeps records only, as for failures beyond those that are kept.
func (nowhere) Archive(_ run.Attempt, fin *run.Finished, _ *run.Result) (*run.Filed, error) {
	if fin.Outcome.Failed() {
		return &run.Filed{Signature: "one", Title: "the one failure"}, nil
	}
	return nil, nil
}

// A campaign of ten million attempts (HEISEN_SCALE_ATTEMPTS says otherwise) with a real journal keeps its memory, its bytes
// on disk and the time a resume takes within bounds: HEISEN_SLOW_TESTS=1 go test -run Scale -v -timeout 1h ./stress
func TestScaleOfACampaign(t *testing.T) {
	if os.Getenv("HEISEN_SLOW_TESTS") == "" {
		t.Skip("takes minutes: set HEISEN_SLOW_TESTS=1")
	}
	attempts := int64(10_000_000)
	if n, err := strconv.ParseInt(os.Getenv("HEISEN_SCALE_ATTEMPTS"), 10, 64); err == nil {
		attempts = n
	}
	dir := filepath.Join(t.TempDir(), "journal")
	newFold := func(snapshot []byte) (journal.Fold, error) { return tally.Load(snapshot) }
	opts := journal.Options{Campaign: "scale", NewFold: newFold, CommitRecords: stress.SpareSlots / 2}
	j, err := journal.Open(dir, opts)
	require.NoError(t, err)

	judge, err := run.NewJudge(run.Oracle{})
	require.NoError(t, err)
	s := spec(64, run.Stop{Runs: attempts})
	stop := make(chan struct{})
	peak := watchHeap(stop)
	begun := time.Now()
	ended, err := stress.New(stress.Config{
		Began: run.Began{At: begun, Campaign: "scale", Epoch: 1, Session: 1, Spec: s}, Runner: &instant{},
		Archiver: nowhere{}, Journal: j, Workspace: nowhere{}, Judge: judge, Tally: tally.New(), CPUs: 2,
	}).Run()
	require.NoError(t, err)
	require.Equal(t, run.ReasonRuns, ended.Reason)
	took := time.Since(begun)
	require.NoError(t, j.Close())
	close(stop)

	begun = time.Now()
	j, err = journal.Open(dir, opts)
	require.NoError(t, err)
	fold, _, err := journal.Load(dir, newFold)
	require.NoError(t, err)
	resumed := time.Since(begun)
	require.NoError(t, j.Close())
	counts := fold.(*tally.Tally).Counts()
	require.Equal(t, attempts, counts.Total())
	require.Equal(t, attempts/100_000, counts.Failures())

	heap, bytes := <-peak, float64(size(t, dir))/float64(attempts)
	t.Logf("%d attempts in %v (%.0f/s); heap at most %d MiB; %.1f bytes an attempt on disk; resume in %v",
		attempts, took.Round(time.Second), float64(attempts)/took.Seconds(), heap>>20, bytes, resumed.Round(time.Millisecond))
	require.Less(t, heap, uint64(100_000_000))
	require.LessOrEqual(t, bytes, 64.0)
	require.Less(t, resumed, 5*time.Second)
}

// watchHeap samples the memory the Go runtime holds, and gives the most it saw when stop is closed.
func watchHeap(stop <-chan struct{}) <-chan uint64 {
	peak := make(chan uint64, 1)
	go func() {
		var most uint64
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most = max(most, m.Sys-m.HeapReleased)
			select {
			case <-stop:
				peak <- most
				return
			case <-time.After(100 * time.Millisecond):
			}
		}
	}()
	return peak
}

func size(t *testing.T, dir string) (total int64) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		info, err := e.Info()
		require.NoError(t, err)
		total += info.Size()
	}
	return total
}
