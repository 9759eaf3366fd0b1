package bundle

import (
	"testing"

	"github.com/stretchr/testify/require"

	"heisen/stress/run"
)

// TestAFailureUnderChaosKeepsItsPlan: with what was done beside it, and a pass under chaos is not kept as one to compare with.
func TestAFailureUnderChaosKeepsItsPlan(t *testing.T) {
	dir := t.TempDir()
	a := archiver(t, dir, run.Keep{Failures: 2, Passes: 2})
	at, fin, res := attempt(1, run.Fail, "boom goes it\n")
	res.Evidence.Plan = []byte(`{"replay":true}`)
	fin.Chaos = &run.Chaos{Strategy: "hold", Made: 2}
	filed, err := a.Archive(at, fin, res)
	require.NoError(t, err)
	b, err := Open(dir + "/" + filed.Bundle)
	require.NoError(t, err)
	defer b.Close()
	require.Equal(t, fin.Chaos, b.Manifest.Chaos)
	var listed bool
	for _, f := range b.Manifest.Files {
		listed = listed || f.Path == PlanFile && f.Size == 15
	}
	require.True(t, listed)

	at, fin, res = attempt(2, run.Pass, "fine\n")
	fin.Chaos = &run.Chaos{Strategy: "pin"}
	filed, err = a.Archive(at, fin, res)
	require.NoError(t, err)
	require.Nil(t, filed)
}
