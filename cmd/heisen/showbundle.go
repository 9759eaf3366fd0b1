package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"heisen/reports/text"
	"heisen/repro/bundle"
	"heisen/stress/run"
)

// printBundle prints what is in a bundle, which may come from a stranger.
func printBundle(w io.Writer, b *bundle.Bundle, all bool) error {
	view, err := bundleView(b)
	if err != nil {
		return err
	}
	return text.ShowBundle(w, view, styleFor(w), all)
}

// bundleView puts a bundle into the words of the text report.
func bundleView(b *bundle.Bundle) (text.Bundle, error) {
	m := &b.Manifest
	output, err := outputOf(b)
	if err != nil {
		return text.Bundle{}, err
	}
	v := text.Bundle{
		Path: b.Path(), Campaign: m.Campaign, Outcome: m.Ending.Outcome, Cause: m.Ending.Cause,
		Attempt: run.Attempt{Seq: m.Attempt.Seq, Try: m.Attempt.Try, Slot: m.Attempt.Slot, Seed: m.Attempt.Seed, Running: m.Attempt.Running},
		Command: stringsOf(m.Command.Args), WorkDir: string(m.Command.Dir),
		Began: m.Timing.Started, Wall: time.Duration(m.Timing.Wall) * time.Microsecond,
		Usage: run.Usage{User: time.Duration(m.Timing.User) * time.Microsecond,
			System: time.Duration(m.Timing.System) * time.Microsecond, MaxRSS: m.Timing.MaxRSS},
		Facts: sourceFacts(m), Environment: variables(m.Environment), Host: hostFacts(m),
		Output: output, Leaks: m.Leaks, NotCollected: m.NotCollected,
	}
	if m.Signature != nil {
		v.Title, v.Signature = m.Signature.Title, m.Signature.ID
	}
	v.Variant, v.Exemplar = m.Variant, m.Exemplar
	if v.Divergence, err = b.ReadDivergence(); err != nil {
		return text.Bundle{}, err
	}
	if b.Has(bundle.DumpFile) {
		if v.Dump, err = b.Dump(); err != nil {
			return text.Bundle{}, err
		}
	}
	return v, nil
}

func outputOf(b *bundle.Bundle) (run.Output, error) {
	out := run.Output{Total: b.Manifest.Output.Total, Omitted: b.Manifest.Output.Omitted}
	lines, err := b.Lines()
	if err != nil {
		return out, err
	}
	tail := false
	for l := range lines {
		c := run.Chunk{Stream: l.Stream, At: l.At, Data: l.Text}
		if tail = tail || l.AfterGap; tail {
			out.Tail = append(out.Tail, c)
		} else {
			out.Head = append(out.Head, c)
		}
	}
	return out, nil
}

func stringsOf(list []bundle.Text) []string {
	out := make([]string, len(list))
	for i, t := range list {
		out[i] = string(t)
	}
	return out
}

func variables(env bundle.Environment) []text.Variable {
	var list []text.Variable
	for _, name := range slices.Sorted(maps.Keys(env.Values)) {
		list = append(list, text.Variable{Name: name, Value: string(env.Values[name])})
	}
	for _, name := range env.Names {
		list = append(list, text.Variable{Name: string(name), Withheld: true})
	}
	return list
}

func sourceFacts(m *bundle.Manifest) []text.Pair {
	revision := m.Git.Revision
	switch {
	case m.Git.NotCollected != "":
		revision = "not collected: " + m.Git.NotCollected
	case m.Git.Dirty:
		revision += " (with uncommitted changes)"
	}
	facts := []text.Pair{{Name: "revision", Value: revision}}
	for _, path := range slices.Sorted(maps.Keys(m.Hashes)) {
		facts = append(facts, text.Pair{Name: "sha256", Value: m.Hashes[path] + " " + path})
	}
	return facts
}

func hostFacts(m *bundle.Manifest) []text.Pair {
	h := &m.Host
	list := []text.Pair{
		{Name: "system", Value: strings.TrimSpace(fmt.Sprintf("%s %s, %s %s", h.OS, h.Arch, h.Distribution, h.Kernel))},
		{Name: "CPUs", Value: fmt.Sprintf("%d, %s", h.CPUs, h.CPUModel)},
		{Name: "memory", Value: fmt.Sprintf("%d MiB", h.Memory>>20)},
		{Name: "virtualisation", Value: strings.TrimSpace(h.Virtualisation + " " + h.Container)},
		{Name: "supervision", Value: m.Tier.Name},
	}
	return slices.DeleteFunc(list, func(p text.Pair) bool { return p.Value == "" })
}
