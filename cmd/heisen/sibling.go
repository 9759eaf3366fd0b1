package main

import (
	"encoding/json"
	"os"
	"path/filepath"

	"heisen/repro/bundle"
	"heisen/repro/replay"
	"heisen/stress/chaos/conductor"
)

// mostSiblings bounds how many bundles are looked through.
const mostSiblings = 300

// heldSibling finds, among the other bundles of the same campaign whose failures share one with the recipe's, that with the fewest
// holds: those can be cut down to a cause, which other ways of disturbing cannot. "" where none had any.
func heldSibling(path string, recipe *replay.Recipe) string {
	plans, err := filepath.Glob(filepath.Join(filepath.Dir(filepath.Dir(path)), "*", "*", bundle.PlanFile))
	if err != nil {
		return ""
	}
	best, fewest := "", 0
	for _, name := range plans[:min(len(plans), mostSiblings)] {
		holds := holdsIn(name)
		if dir := filepath.Dir(name); dir != path && holds > 0 && (best == "" || holds < fewest) && alike(dir, recipe) {
			best, fewest = dir, holds
		}
	}
	return best
}

// holdsIn is how many decisions a plan made, 0 where none of them let any time pass.
func holdsIn(plan string) int {
	var record conductor.Record
	data, err := os.ReadFile(plan)
	if err != nil || json.Unmarshal(data, &record) != nil {
		return 0
	}
	for _, m := range record.Made {
		if m.Held > 0 {
			return len(record.Made)
		}
	}
	return 0
}

// alike tells whether a bundle's failures share one with the recipe's.
func alike(dir string, recipe *replay.Recipe) bool {
	b, err := bundle.Open(dir)
	if err != nil {
		return false
	}
	defer b.Close()
	sig := b.Manifest.Signature // nil for a passing attempt
	return sig != nil && recipe.Shares(sig.ID, sig.Parts())
}
