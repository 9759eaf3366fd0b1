package interleave

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/stress/run"
)

func told(names ...string) Form {
	t := &run.Trace{}
	for i, name := range names {
		t.Points = append(t.Points, run.Point{At: time.Duration(10*i + 10), Thread: -1, Source: run.FromTest, Name: name})
	}
	return Canonical(t)
}

func TestApartGivesTheMomentInEach(t *testing.T) {
	pass, fail := told("open", "read", "close"), told("open", "close")
	require.Equal(t, Parting{Event: "read", Number: 2, Pass: 20, Fail: 20, Alike: 0.8}, Apart(pass, fail))
	d := Between(pass, fail)
	require.Equal(t, d.Event, Apart(pass, fail).Event, "the same event as in the divergence")

	require.Equal(t, Parting{Pass: run.NotSeen, Fail: run.NotSeen, Alike: 1}, Apart(pass, pass))
	require.Equal(t, Parting{Number: 4, Pass: run.NotSeen, Fail: 40, Alike: 6.0 / 7}, Apart(pass, told("open", "read", "close", "more")))
	require.Equal(t, run.NotSeen, Apart(pass, told("open")).Fail, "it did nothing more")
}
