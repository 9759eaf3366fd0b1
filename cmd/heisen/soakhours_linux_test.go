package main

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/reports/history"
	"heisen/repro/soak"
	"heisen/stress"
	"heisen/stress/journal"
	"heisen/stress/run"
)

// simulated is a runner whose attempts take simulated time: 20 s more or less, drawn from their seed. One in 1,000 fails.
type simulated struct{}

func (simulated) Run(a run.Attempt, _ *run.Control) run.Result {
	r := rand.New(rand.NewPCG(a.Seed, 1))
	res := run.Result{Started: time.Now(), Wall: time.Duration(15e9 + r.Int64N(10e9))}
	time.Sleep(res.Wall)
	res.Usage = run.Usage{User: time.Second, MaxRSS: 20<<20 + r.Int64N(1<<20)}
	res.Evidence.Signals = run.Signals{run.SigDescriptors: 10 + r.Int64N(3), run.SigProcesses: 2, run.SigThreads: 4, run.SigTempFiles: 1}
	if a.Seq%1000 == 0 {
		res.Ending.Code = 1
	}
	return res
}

// nothing keeps no evidence and lends no folder.
type nothing struct{}

func (nothing) Prepare(int) (string, error) { return "/nothing", nil }
func (nothing) Release(int) error           { return nil }
func (nothing) Archive(_ run.Attempt, fin *run.Finished, _ *run.Result) (*run.Filed, error) {
	if fin.Outcome.Failed() {
		return &run.Filed{Signature: "one", Title: "the one failure"}, nil
	}
	return nil, nil
}

// mortal is a journal whose disk is gone from a moment on: to the engine that is as good as a crash, since it can
// write down nothing more, not even that it ended.
type mortal struct {
	*journal.Journal
	until time.Time
}

var errGone = errors.New("the disk is gone")

func (m mortal) Append(payload []byte) error {
	if !m.until.IsZero() && time.Now().After(m.until) {
		return errGone
	}
	return m.Journal.Append(payload)
}

// footprint is what a soak takes at the end of each simulated hour.
type footprint struct {
	mu    sync.Mutex
	began time.Time
	heap  []uint64 // bytes that are in use
	files []int    // open descriptors
	disk  []int64  // bytes of the journal
	dir   string
}

func (f *footprint) Emit(run.Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if time.Since(f.began) < time.Duration(len(f.heap)+1)*time.Hour {
		return
	}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	open, _ := os.ReadDir("/proc/self/fd")
	var disk int64
	_ = filepath.Walk(f.dir, func(_ string, info os.FileInfo, err error) error {
		if err == nil && info.Mode().IsRegular() {
			disk += info.Size()
		}
		return nil
	})
	f.heap, f.files, f.disk = append(f.heap, m.HeapAlloc), append(f.files, len(open)), append(f.disk, disk)
}

// hours is one session of a simulated soak with a real journal, account and log, until it crashes or is over.
func hours(t *testing.T, dir string, session int, k *soaking, log *bytes.Buffer, foot *footprint, crash time.Duration) (run.Ended, error) {
	opts := journal.Options{Campaign: "hours", NewFold: newFold, CommitRecords: stress.SpareSlots / 2}
	j, err := journal.Open(dir, opts)
	require.NoError(t, err)
	fold, _, err := journal.Load(dir, newFold)
	require.NoError(t, err)
	_, err = journal.ReadAll(dir, func(payload []byte) error { // as a resume does
		event, err := run.Decode(payload)
		if err == nil {
			k.account.Emit(event)
		}
		return err
	})
	require.NoError(t, err)
	judge, err := run.NewJudge(run.Oracle{})
	require.NoError(t, err)
	disk := mortal{Journal: j}
	if crash > 0 {
		disk.until = time.Now().Add(crash)
	}
	view := newView(log, dir, false, k)
	spec := run.Spec{Width: 8, Stop: run.Stop{For: 8 * time.Hour}, Seed: 7, Timeout: run.TimeoutPolicy{Fixed: time.Hour, Grace: time.Second}}
	engine := stress.New(stress.Config{
		Began:  run.Began{At: time.Now(), Campaign: "hours", Epoch: 1, Session: session, Spec: spec},
		Runner: simulated{}, Archiver: nothing{}, Workspace: nothing{}, Journal: disk, Judge: judge, Tally: fold.(*history.Fold).Figures,
		Sinks: []stress.Sink{view, k.account, foot}, Answered: k.account.Answered, PortBase: 20000, CPUs: 2,
	})
	view.Start(engine)
	ended, err := engine.Run()
	view.Close()
	return ended, errors.Join(err, j.Close())
}

// inMemory is a folder whose syncs take no time, where the machine has one: there are thousands of them.
func inMemory(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "heisen-hours-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// TestSoakOfEightHours plays eight hours with a clock of its own, with a crash in the fourth: what it takes of the machine
// stays level, the log has a line a minute, and the evidence is that of a soak that never crashed.
func TestSoakOfEightHours(t *testing.T) {
	dir := filepath.Join(inMemory(t), "journal")
	synctest.Test(t, func(t *testing.T) {
		var first, second bytes.Buffer
		begin := func() *soaking {
			k := &soaking{question: soak.Question{Options: soak.Options{Factor: 10, Confidence: 0.99}}}
			k.account = soak.NewAccount(k.question, nil)
			return k
		}
		foot := &footprint{dir: dir, began: time.Now()}
		_, err := hours(t, dir, 1, begin(), &first, foot, 3*time.Hour+17*time.Minute)
		require.ErrorIs(t, err, errGone)
		time.Sleep(14 * time.Hour) // until somebody resumes it
		foot.began = foot.began.Add(14 * time.Hour)
		k := begin()
		ended, err := hours(t, dir, 2, k, &second, foot, 0)
		require.NoError(t, err)
		require.Equal(t, run.ReasonTime, ended.Reason)

		// The evidence: every attempt once, and as many as eight hours hold.
		seen, failed := map[int64]bool{}, int64(0)
		_, err = journal.ReadAll(dir, func(payload []byte) error {
			event, err := run.Decode(payload)
			if fin, ok := event.(run.Finished); ok && fin.Outcome.Judged() {
				require.False(t, seen[fin.Seq], "attempt %d counts twice", fin.Seq)
				seen[fin.Seq] = true
				if fin.Outcome.Failed() {
					failed++
				}
			}
			return err
		})
		require.NoError(t, err)
		alone, _, sentences := k.account.Bounds()
		require.Equal(t, soak.Count{Attempts: int64(len(seen)), Failures: failed}, alone)
		require.InDelta(t, 8*8*180, len(seen), 100)
		require.EqualValues(t, len(seen)/1000, failed, "what had failed before the crash is not forgotten")
		require.Contains(t, sentences[0], "at 99 %")
		require.Contains(t, []int{7, 8}, k.account.Hours(), "the time without a session is none of it; the last hour is over once an attempt ends after it")
		require.Empty(t, k.account.Notices())
		require.Empty(t, k.account.NotWatched())

		// One line a minute: failures and the end have lines of their own.
		minutes := regexp.MustCompile(`(?m)^[\dhms ]+: [\d,]+ attempts`).FindAllString(first.String()+second.String(), -1)
		require.InDelta(t, 480, len(minutes), 40)

		last := len(foot.heap) - 1
		require.GreaterOrEqual(t, last, 6)
		t.Logf("%d attempts; heap %d KiB after an hour, %d KiB at the end; descriptors %d and %d; journal %d and %d KiB", len(seen),
			foot.heap[0]>>10, foot.heap[last]>>10, foot.files[0], foot.files[last], foot.disk[0]>>10, foot.disk[last]>>10)
		require.InDelta(t, foot.files[0], foot.files[last], 3)
		require.Less(t, foot.heap[last], foot.heap[0]+4<<20, "memory is level")
		require.Less(t, foot.disk[last], int64(len(seen))*400, "disk is bounded by the attempts")
	})
}
