package main

import (
	"slices"

	"heisen/reports"
	"heisen/reports/evidence"
	"heisen/repro/bundle"
	"heisen/stress/campaign"
)

// latestRepro is what the newest replays of a failure told at their end; nil where there are none. A report does not
// depend on them: what cannot be read is passed over.
func latestRepro(store campaign.Store, failure *evidence.Attempt) *reports.Repro {
	if failure == nil {
		return nil
	}
	listed, err := store.List()
	if err != nil {
		return nil
	}
	for _, l := range listed {
		if l.Err != nil || !l.Folder.Replays() {
			continue
		}
		state, err := readRepro(l.Folder)
		if err == nil && state.Report != nil && len(state.Cmd) == 0 && state.Bundle == failure.Dir && state.Hash == failure.Hash {
			return state.Report
		}
	}
	return nil
}

// mostAsked bounds the bundles that are asked for the revision of their program.
const mostAsked = 24

// revisions are those of the epochs that kept a bundle which knows its own, oldest first.
func (s *subject) revisions() []reports.Revision {
	if s.report == nil {
		return nil
	}
	var dirs []string
	for _, sig := range s.report.Signatures {
		dirs = append(dirs, sig.Bundles[:min(len(sig.Bundles), 2)]...)
	}
	dirs = append(dirs, s.report.KeptPasses...)
	seen := map[int]reports.Revision{}
	for _, dir := range dirs[:min(len(dirs), mostAsked)] {
		b, err := bundle.Open(dir)
		if err != nil {
			continue // one of many
		}
		m := b.Manifest
		_ = b.Close()
		if _, known := seen[m.Epoch]; !known && m.Git.Revision != "" {
			seen[m.Epoch] = reports.Revision{Epoch: m.Epoch, ID: m.Git.Revision, Dirty: m.Git.Dirty}
		}
	}
	var list []reports.Revision
	for _, e := range s.report.Epochs {
		if r, known := seen[e.Number]; known {
			r.Rate = e.Rate
			list = append(list, r)
		}
	}
	return slices.Clip(list)
}
