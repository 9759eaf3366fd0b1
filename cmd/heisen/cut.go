package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"heisen/reports"
	"heisen/reports/text"
	"heisen/repro/explain"
	"heisen/repro/minimize"
	"heisen/repro/replay"
	"heisen/stress/chaos/conductor"
	"heisen/stress/durable"
	"heisen/stress/run"
)

const (
	flagMinimize = "minimize"
	flagExplain  = "explain"
	flagTime     = "budget"

	defaultCutTime = 5 * time.Minute
	// minPlanFile is the minimised plan in the folder of the replays; minFolder, in a hunt's campaign, has those of its
	// bundles by their attempt, since a bundle itself is hashed and never changes.
	minPlanFile = "plan.min.json"
	minFolder   = "minimized"
	// stacksFile are the stacks that were taken for an explanation.
	stacksFile = "stacks.txt"
)

// trier has the session's attempts made for minimising.
func (j *reproJob) trier() *replay.Trier {
	p := j.plan
	t := &replay.Trier{Desk: p.desk, Recipe: j.recipe, Command: p.spec.Command, Width: p.spec.Width, Environ: os.Environ()}
	if j.state.Narrow > 0 {
		t.Width = j.state.Narrow
	}
	if p.programs != nil {
		t.Command.Env = nil // go test's own way of running them is no condition
	}
	if j.session.hogs != nil {
		t.Load = func(on bool) { j.session.pauseLoad(!on) }
	}
	return t
}

// cut minimises the plan as far as the budget goes.
func (j *reproJob) cut(ctx context.Context) error {
	s := &j.state
	if s.Cause = ""; s.Cut == nil {
		if err := j.narrow(ctx); err != nil {
			return err
		}
	}
	t := j.trier()
	whole, last := t.Whole(), ""
	options := minimize.Options{Batch: t.Width, MostTime: s.Budget, Now: time.Now, Fresh: freshReplays, Slow: []string{replay.CondWidth},
		Progress: func(p minimize.Progress) {
			if now := fmt.Sprintf("%s: %d of %d holds, %d of %d conditions left", p.Step, p.Holds, len(whole.Holds), p.Conditions,
				len(whole.Conditions)); now != last {
				last = now
				j.session.view.Emit(run.Noticed{Text: fmt.Sprintf("minimising: %s (after %d attempts)", now, p.Spent)})
			}
			_ = s.save(j.session.folder) // the save at the end tells of an error that lasts
		}}
	if s.Explain {
		// What is asked for is the cause; conditions and lengths can wait.
		options.Confirmed = func(ctx context.Context, r minimize.Result) error { return j.explain(ctx, &r) }
	}
	result, err := minimize.Run(ctx, whole, t, options, s.Cut)
	if err != nil {
		return err
	}
	s.Result = &result
	return j.keepPlan(t, &result)
}

// explain looks for what decides; what could not be told for want of budget is asked again on a resume.
func (j *reproJob) explain(ctx context.Context, known *minimize.Result) error {
	j.session.view.Emit(run.Noticed{Text: "explaining: which order of two events decides"})
	t, result := j.trier(), *known
	if slices.Contains(t.Whole().Conditions, replay.CondWidth) && !slices.Contains(result.Candidate.Conditions, replay.CondWidth) {
		// It was found with it and does without: one at a time would only take longer.
		result.Candidate.Conditions = append(slices.Clone(result.Candidate.Conditions), replay.CondWidth)
	}
	cause, err := explain.Explain(ctx, t, &result)
	if err != nil {
		return err
	}
	j.session.view.Emit(run.Noticed{Text: "explained: " + cause.String()})
	j.session.view.Emit(run.Noticed{Text: "explaining: where the threads are at that moment"})
	seen, err := explain.Look(ctx, t, &result, cause)
	if err != nil {
		return err
	}
	j.state.Cause, j.state.Witness = cause.String(), &seen
	if len(result.Candidate.Holds) == 0 {
		j.state.Cause += j.another()
	}
	return j.keepStacks(&seen)
}

// another names, as an end of a sentence, a bundle that may say more than this one; "" where there is none.
func (j *reproJob) another() string {
	other := heldSibling(j.state.Bundle, j.recipe)
	if other == "" {
		return ""
	}
	return "; another attempt failed so while threads were held: heisen repro --explain " + text.Quote(other)
}

// keepStacks writes all stacks beside the replays.
func (j *reproJob) keepStacks(w *explain.Witness) error {
	if len(w.Stacks) == 0 {
		return nil
	}
	if err := durable.WriteFile(filepath.Join(j.session.folder.Path(), stacksFile), stacksText(stacksOf(w)), nil); err != nil {
		return fmt.Errorf("save the stacks: %w", err)
	}
	return nil
}

// stacksOf puts what was seen into the report's words; nil for nothing asked.
func stacksOf(w *explain.Witness) *reports.Stacks {
	if w == nil {
		return nil
	}
	s := &reports.Stacks{At: w.At, Why: w.Why}
	for _, t := range w.Stacks {
		s.Threads = append(s.Threads, reports.Stack(t))
	}
	return s
}

func stacksText(s *reports.Stacks) []byte {
	var b bytes.Buffer
	for _, t := range s.Threads {
		fmt.Fprintln(&b, text.Escape(text.StackTitle(t)))
		for _, f := range t.Frames {
			fmt.Fprintln(&b, "    "+text.Escape(f))
		}
	}
	return b.Bytes()
}

// freshReplays measure what is left.
const freshReplays = 40

// keepPlan writes the minimised plan beside the replays, and into the bundle's campaign where that is one's own.
func (j *reproJob) keepPlan(t *replay.Trier, r *minimize.Result) error {
	plan := t.PlanOf(r.Candidate)
	if plan == nil || r.Verdict == minimize.CannotTell {
		return nil
	}
	data, err := json.MarshalIndent(conductor.Record{Plan: *plan, Drawn: "minimised: " + string(r.Verdict)}, "", "  ")
	if err == nil {
		err = durable.WriteFile(filepath.Join(j.session.folder.Path(), minPlanFile), append(data, '\n'), nil)
	}
	if folder, ok := campaignOf(j.state.Bundle); ok && err == nil && !j.state.Trusted {
		dir := filepath.Join(folder.Path(), minFolder)
		if err = durable.MkdirAll(dir); err == nil {
			err = durable.WriteFile(filepath.Join(dir, filepath.Base(j.state.Bundle)+".json"), append(data, '\n'), nil)
		}
	}
	if err != nil {
		return fmt.Errorf("save the minimised plan: %w", err)
	}
	return nil
}

// minimized puts the result into the report's words.
func (j *reproJob) minimized() *reports.Minimized {
	r := j.state.Result
	if r == nil {
		return nil
	}
	t := j.trier()
	whole := t.Whole()
	m := &reports.Minimized{Verdict: string(r.Verdict), Reason: r.Reason, Of: len(whole.Holds), Replays: replaysOf(r.Measured), Whole: replaysOf(r.Full), NoHolds: replaysOf(r.Plain), Spent: r.Spent,
		Conditions: r.Candidate.Conditions, Surer: r.Surer}
	for _, name := range whole.Conditions {
		if !slices.Contains(r.Candidate.Conditions, name) {
			m.Dropped = append(m.Dropped, name)
		}
	}
	for _, h := range t.HoldsOf(r) {
		m.Holds = append(m.Holds, reports.MinimalHold{Thread: h.Thread, Kind: h.Kind, Site: h.Site, N: h.N, Hold: reports.Seconds(h.Hold),
			FailsFrom: reports.Seconds(h.FailsFrom), NotAt: reports.Seconds(h.NotAt)})
	}
	return m
}
