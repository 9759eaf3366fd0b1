package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"heisen/reports"
	"heisen/repro/bundle"
	"heisen/repro/provenance"
	"heisen/repro/soak"
	"heisen/stress/campaign"
	"heisen/stress/durable"
	"heisen/stress/journal"
	"heisen/stress/run"
	"heisen/stress/tally"
)

// questionFile is where a soak's campaign keeps what it was asked.
const questionFile = "soak.json"

// baseline is a campaign that a soak compares with.
type baseline struct {
	folder  *campaign.Folder
	figures *tally.Tally
	past    *soak.Past
	target  []string // signatures; none for all
}

// openBaseline reads a campaign, or the one that a bundle lies in, whose failures alone are then the target.
func openBaseline(store campaign.Store, ref string) (*baseline, error) {
	b := &baseline{past: &soak.Past{}}
	var err error
	if isBundle(ref) {
		b.folder, b.target, err = aroundBundle(store, ref)
	} else {
		b.folder, err = store.Open(ref)
	}
	if err != nil {
		return nil, err
	}
	if b.folder.Running() {
		return nil, usagef("soak against %s: it still runs: let it end first", b.folder.ID())
	}
	if q, err := readQuestion(b.folder); err == nil && q.Before != nil {
		return nil, usagef("soak against %s: it ran two programs in turn: give a campaign of the old one alone", b.folder.ID())
	}
	if b.figures, err = readTally(b.folder); err != nil {
		return nil, err
	}
	return b, eachEvent(b.folder, b.past.Add)
}

// aroundBundle finds the campaign around a bundle.
func aroundBundle(store campaign.Store, ref string) (*campaign.Folder, []string, error) {
	path, err := store.ResolveBundle(ref)
	if err != nil {
		return nil, nil, err
	}
	opened, err := bundle.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer opened.Close()
	m := opened.Manifest
	if m.Signature == nil {
		return nil, nil, usagef("soak against %s: it is a passing attempt: give one that failed", ref)
	}
	for dir := filepath.Dir(path); dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if filepath.Base(dir) == m.Campaign {
			folder, err := campaign.NewStore(filepath.Dir(dir)).Open(m.Campaign)
			return folder, []string{m.Signature.ID}, err
		}
	}
	return nil, nil, usagef("soak against %s: one failure has no rate, and its campaign %s is not around it: give the campaign's folder", ref, m.Campaign)
}

// machine names the machine if it is another one: bundles say which the baseline had.
func (b *baseline) machine() []string {
	for _, name := range b.figures.Bundles() {
		opened, err := bundle.Open(filepath.Join(b.folder.Path(), name))
		if err != nil {
			continue
		}
		was := opened.Manifest.Host
		opened.Close()
		if sameMachine(was, provenance.System.Host(context.Background())) {
			return nil
		}
		return []string{"another machine"}
	}
	return []string{"a machine that is not on record"}
}

// eachEvent reads a campaign's journal from its first record on. A kind of event that only a newer heisen knows is
// left out.
func eachEvent(folder *campaign.Folder, visit func(run.Event)) error {
	_, err := journal.ReadAll(folder.Journal(), func(payload []byte) error {
		event, err := run.Decode(payload)
		if errors.Is(err, run.ErrUnknownEvent) {
			return nil
		}
		if err == nil {
			visit(event)
		}
		return err
	})
	return err
}

func writeQuestion(folder *campaign.Folder, q soak.Question) error {
	q.Version = soak.QuestionVersion
	text, err := json.Marshal(q)
	if err == nil {
		err = durable.WriteFile(filepath.Join(folder.Path(), questionFile), append(text, '\n'), nil)
	}
	if err != nil {
		return fmt.Errorf("write what the soak is to find out: %w", err)
	}
	return nil
}

func readQuestion(folder *campaign.Folder) (q soak.Question, err error) {
	text, err := os.ReadFile(filepath.Join(folder.Path(), questionFile))
	if err == nil {
		err = json.Unmarshal(text, &q)
	}
	switch {
	case err != nil:
		return q, fmt.Errorf("read what the soak of campaign %s is to find out: %w: start a new one", folder.ID(), err)
	case q.Version != soak.QuestionVersion:
		return q, fmt.Errorf("read %s of campaign %s: version %d, this heisen knows %d: go on with the heisen that began it", questionFile, folder.ID(), q.Version, soak.QuestionVersion)
	}
	return q, nil
}

// isSoak tells a soak's campaign from a hunt's.
func isSoak(folder *campaign.Folder) bool {
	_, err := os.Lstat(filepath.Join(folder.Path(), questionFile))
	return !errors.Is(err, fs.ErrNotExist)
}

func kindOf(folder *campaign.Folder) string {
	if isSoak(folder) {
		return soakName
	}
	return "hunt"
}

// readSoak derives from a soak's records what they show.
func readSoak(folder *campaign.Folder, seed uint64) (*reports.Soak, error) {
	q, err := readQuestion(folder)
	if err != nil {
		return nil, err
	}
	account := soak.NewAccount(q, q.Course(seed))
	if err := eachEvent(folder, account.Emit); err != nil {
		return nil, err
	}
	return reports.SoakOf(q, account), nil
}
