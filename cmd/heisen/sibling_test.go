package main

import (
	"encoding/json"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/repro/bundle"
	"heisen/repro/replay"
	"heisen/repro/signature"
	"heisen/stress/chaos"
	"heisen/stress/chaos/conductor"
	"heisen/stress/run"
)

func TestHeldSiblingHasTheFewestHolds(t *testing.T) {
	dir := t.TempDir()
	put := func(place string, sig *signature.Signature, held ...time.Duration) string {
		var record conductor.Record
		for _, d := range held {
			record.Made = append(record.Made, chaos.Made{Held: d})
		}
		plan, err := json.Marshal(record)
		require.NoError(t, err)
		m := bundle.Manifest{Schema: bundle.Schema, Signature: sig, Ending: bundle.Ending{Outcome: run.Fail}}
		ref, err := bundle.Write(dir, place, bundle.Contents{Manifest: m, Output: &run.Output{}, DumpAt: -1, Plan: plan})
		require.NoError(t, err)
		b, err := bundle.Open(filepath.Join(dir, ref.Path))
		require.NoError(t, err)
		require.NoError(t, b.Close())
		return b.Path()
	}
	mine, other := &signature.Signature{ID: "a"}, &signature.Signature{ID: "b"}
	recipe := &replay.Recipe{Signature: "a"}
	first := put("a/1", mine)
	require.Empty(t, heldSibling(first, recipe))
	put("a/2", mine, 0) // it only gave way
	others := put("b/3", other, 1)
	put("pass/4", nil, 1)
	require.Empty(t, heldSibling(first, recipe))
	put("a/5", mine, 1, 1, 1)
	best := put("a/6", mine, 1, 1)
	require.Equal(t, best, heldSibling(first, recipe))
	require.NotEqual(t, best, heldSibling(best, recipe), "it has just been looked at itself")
	recipe.Parts = []string{"b"}
	require.Equal(t, others, heldSibling(first, recipe))
}
