package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"heisen/repro/bundle"
	"heisen/stress/campaign"
	"heisen/stress/durable"
	"heisen/stress/interleave"
	"heisen/stress/run"
)

// interleavingsFile holds a campaign's sample of orders, to be compared.
const interleavingsFile = "interleavings.json"

// weaver archives attempts, and keeps the orders of some of them to compare. It is safe for concurrent use.
type weaver struct {
	*saver
	archiver *bundle.Archiver
	path     string

	mu     sync.Mutex
	sample *interleave.Sample
	dirty  bool
}

// openWeaver goes on with the sample in a campaign's folder.
func openWeaver(dir string) (*weaver, error) {
	sample, err := readSample(dir)
	if err != nil {
		return nil, err
	}
	w := &weaver{path: filepath.Join(dir, interleavingsFile), sample: sample}
	w.saver = saveEvery(timingsEvery, w.write)
	return w, nil
}

// readSample reads a campaign's sample, an empty one where it has none.
func readSample(dir string) (*interleave.Sample, error) {
	data, err := os.ReadFile(filepath.Join(dir, interleavingsFile))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("read interleavings: %w", err)
	}
	sample, err := interleave.LoadSample(data)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w: move the file away to begin anew", interleavingsFile, err)
	}
	return sample, nil
}

// sampleOf is readSample for a report, which is printed without comparison where the file cannot be read.
func sampleOf(folder *campaign.Folder) *interleave.Sample {
	sample, err := readSample(folder.Path())
	if err != nil {
		return nil
	}
	return sample
}

// Archive files the evidence and adds the attempt to the sample.
func (w *weaver) Archive(a run.Attempt, fin *run.Finished, res *run.Result) (*run.Filed, error) {
	filed, err := w.archiver.Archive(a, fin, res)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	wanted := w.sample.Wants(fin)
	w.mu.Unlock()
	if !wanted {
		return filed, nil
	}
	form := interleave.Canonical(res.Evidence.Trace)
	told := *fin
	told.Filed = filed
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sample.Add(&told, form)
	w.dirty = true
	return filed, nil
}

// compare sets one failure against the nearest passing order so far; nil where there is none.
func (w *weaver) compare(res *run.Result) *interleave.Divergence {
	if res.Evidence.Variant == "" {
		return nil
	}
	form := interleave.Canonical(res.Evidence.Trace)
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sample.Nearest(form)
}

// diverged is what the campaign's sample holds at its end.
func (w *weaver) diverged() *interleave.Sample {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sample
}

// write saves the sample, for a resume and for show.
func (w *weaver) write() error {
	w.mu.Lock()
	dirty := w.dirty
	data, err := json.Marshal(w.sample)
	w.dirty = false
	w.mu.Unlock()
	if !dirty {
		return nil
	}
	if err == nil {
		err = durable.WriteFile(w.path, data, nil)
	}
	if err != nil {
		return fmt.Errorf("save interleavings: %w", err)
	}
	return nil
}
