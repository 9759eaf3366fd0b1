package main

import (
	"context"
	"crypto/rand"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/urfave/cli/v2"

	"heisen/repro/provenance"
	"heisen/stress"
	"heisen/stress/campaign"
	"heisen/stress/journal"
	"heisen/stress/run"
)

// TestResumeIsPlannedUnderTheLock: what a resume is planned by, the journal's fold, stays true until the session
// goes on with it. A plan that is refused gives the campaign back.
func TestResumeIsPlannedUnderTheLock(t *testing.T) {
	store := campaign.NewStore(t.TempDir())
	folder := recordedCampaign(t, store)
	lock := func() error {
		l, err := folder.Lock(context.Background(), 0, time.Now())
		if err == nil {
			err = l.Unlock()
		}
		return err
	}

	p, err := planned(t, "--dir", store.Dir(), "--resume", "last", "--runs", "2")
	require.NoError(t, err)
	require.Equal(t, 2, p.session)
	require.EqualValues(t, 1, p.figures.Counts().Total())
	require.ErrorIs(t, lock(), campaign.ErrBusy)
	require.NoError(t, p.release())
	require.NoError(t, lock())

	_, err = planned(t, "--dir", store.Dir(), "--resume", "last", "--runs", "1")
	require.ErrorContains(t, err, "all 1 attempts are made")
	require.NoError(t, lock())
}

// planned is the plan for a command line of hunt.
func planned(t *testing.T, args ...string) (p *plan, err error) {
	t.Helper()
	app := &cli.App{Commands: []*cli.Command{{Name: "hunt", Flags: huntFlags(), Action: func(c *cli.Context) (err error) {
		p, err = planHunt(c, io.Discard)
		return err
	}}}, ExitErrHandler: func(*cli.Context, error) {}}
	err = app.Run(append([]string{"heisen", "hunt"}, args...))
	return p, err
}

// recordedCampaign has one session with one attempt.
func recordedCampaign(t *testing.T, store campaign.Store) *campaign.Folder {
	t.Helper()
	folder, err := store.Create(time.Now(), rand.Reader, version)
	require.NoError(t, err)
	j, err := journal.Open(folder.Journal(), journal.Options{Campaign: folder.ID(), NewFold: newFold,
		CommitRecords: stress.SpareSlots / 2})
	require.NoError(t, err)
	spec := run.Spec{Command: run.Command{Path: "/bin/true"}, Width: 1, Ports: 1, Stop: run.Stop{Runs: 1}}
	for _, e := range []run.Event{
		run.Began{At: time.Now(), Campaign: folder.ID(), Epoch: 1, Session: 1, Spec: spec, Identity: provenance.Identify(spec.Command)},
		run.Finished{Seq: 1, Try: 1, Epoch: 1, Outcome: run.Pass},
		run.Ended{At: time.Now(), Reason: run.ReasonRuns},
	} {
		data, err := run.Encode(e)
		require.NoError(t, err)
		require.NoError(t, j.Append(data))
	}
	require.NoError(t, j.Close())
	return folder
}
