package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/stress/campaign"
	"heisen/stress/journal"
	"heisen/stress/run"
)

// A campaign of a million attempts makes a page of less than 3 MB. HEISEN_SLOW_TESTS=1 go test -run Million -v
// ./cmd/heisen also says how long that took: the machine's speed is no test's to judge.
func TestAMillionAttemptsOnOnePage(t *testing.T) {
	if os.Getenv("HEISEN_SLOW_TESTS") == "" {
		t.Skip("set HEISEN_SLOW_TESTS=1: it writes a journal of a million attempts")
	}
	const attempts, failing = 1_000_000, 12_500
	dir := t.TempDir()
	folder := journaled(t, dir, attempts)
	page, said := filepath.Join(dir, "page.html"), &bytes.Buffer{}
	began := time.Now()
	require.Zero(t, Main([]string{"heisen", "report", "--dir", dir, folder.ID(), "-o", page}, said, said), said.String())
	took := time.Since(began)
	data, err := os.ReadFile(page)
	require.NoError(t, err)
	t.Logf("page of %d bytes in %v", len(data), took)
	require.Less(t, len(data), 3_000_000)
	require.Contains(t, string(data), fmt.Sprintf("first %s of %s failing attempts are listed", "1,000", "12,500"))
	require.Equal(t, 1000, bytes.Count(data, []byte("<tr data-kind=")))
	require.Equal(t, failing, attempts/80)
}

// journaled writes a campaign as a hunt with everything on leaves it: thirty signals an attempt, twenty strategies, one
// failure in eighty, of forty kinds.
func journaled(t *testing.T, dir string, attempts int64) *campaign.Folder {
	t.Helper()
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	folder, err := campaign.NewStore(dir).Create(start, rand.Reader, version)
	require.NoError(t, err)
	lock, err := folder.Lock(context.Background(), time.Second, start)
	require.NoError(t, err)
	defer func() { require.NoError(t, lock.Unlock()) }()
	j, err := journal.Open(folder.Journal(), journal.Options{Campaign: folder.ID(), NewFold: newFold, CommitRecords: 4096, CommitDelay: time.Second})
	require.NoError(t, err)
	failed := make(chan error, 1)
	submit := func(e run.Event) {
		payload, err := run.Encode(e)
		require.NoError(t, err)
		j.Submit(payload, func(err error) {
			if err != nil {
				select {
				case failed <- err:
				default:
				}
			}
		})
	}
	submit(run.Began{At: start, Campaign: folder.ID(), Epoch: 1, Session: 1, Version: version, Spec: run.Spec{Command: run.Command{Args: []string{"./t"},
		Path: "/t", Dir: "/"}, Width: 64, Seed: 42, Stop: run.Stop{Runs: attempts}, Signals: true}})
	for seq := int64(1); seq <= attempts; seq++ {
		submit(million(seq, start))
	}
	submit(run.Ended{At: start.Add(time.Duration(attempts) * 5 * time.Millisecond), Reason: run.ReasonRuns, Elapsed: time.Duration(attempts) * 5 * time.Millisecond})
	require.NoError(t, j.Close())
	select {
	case err := <-failed:
		require.NoError(t, err)
	default:
	}
	return folder
}

func million(seq int64, start time.Time) run.Finished {
	e := run.Finished{Seq: seq, Try: 1, Epoch: 1, Slot: int(seq % 64), Running: 64, Seed: run.SeedFor(42, seq), At: start.Add(time.Duration(seq) * 5 * time.Millisecond),
		Wall: 45_000 + seq*7919%20_000, User: 20_000 + seq%991, System: 9000 + seq%773, MaxRSS: 9000 + seq%97, Outcome: run.Pass, Output: 120,
		Variant: fmt.Sprintf("%016x", seq*seq%977), Signals: run.Signals{}}
	for i, s := range run.SignalTable() {
		e.Signals[s.Name] = seq * int64(i+7) % 9973
	}
	if n := seq % 21; n > 0 {
		e.Chaos = &run.Chaos{Strategy: fmt.Sprintf("strategy-%d", n), Made: n, Held: 1000 * n}
	}
	if seq%80 == 0 {
		kind := seq / 80 % 40
		e.Outcome, e.Cause, e.Code = run.Fail, "exit code 1", 1
		e.Filed = &run.Filed{Signature: fmt.Sprintf("%012x", kind*7919), Title: fmt.Sprintf("TestSomethingLong/case_%d: queue_test.cpp: expected the worker to have begun, it had not", kind)}
	}
	return e
}
