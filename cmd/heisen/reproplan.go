package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"heisen/reports"
	"heisen/repro/bundle"
	"heisen/repro/explain"
	"heisen/repro/minimize"
	"heisen/repro/provenance"
	"heisen/repro/replay"
	"heisen/stress/campaign"
	"heisen/stress/durable"
	"heisen/stress/run"
)

// reproState is repro.json: what was asked for, and what was seen so far. Attempts between the last save and a crash
// are made again.
type reproState struct {
	Schema int `json:"schema"`
	// Bundle is the failure's folder, Hash that of its manifest; Trusted tells that it is from elsewhere and was
	// agreed to, TrustEnv that its variables were too.
	Bundle   string `json:"bundle"`
	Hash     string `json:"hash"`
	Trusted  bool   `json:"trusted,omitempty"`
	TrustEnv bool   `json:"trust_env,omitempty"`
	// Cmd are the words of --cmd.
	Cmd []string `json:"cmd,omitempty"`
	// Replays, where 0 is no bound, and Plain are how many are to be made.
	Replays   int64 `json:"replays"`
	Plain     int64 `json:"plain"`
	UntilFail bool  `json:"until_fail,omitempty"`
	// Minimize asks for a minimised plan, within Budget in each session.
	Minimize bool          `json:"minimize,omitempty"`
	Explain  bool          `json:"explain,omitempty"`
	Budget   time.Duration `json:"budget_ns,omitempty"`

	ReplaysMade int64          `json:"replays_made"`
	PlainMade   int64          `json:"plain_made"`
	Replayed    minimize.Tally `json:"replayed"`
	Left        minimize.Tally `json:"left_alone"`
	// Made is as in reports.Repro.
	Made [2]int64 `json:"made"`
	// CPU and Wall are how long the judged replays computed and took in all, in microseconds.
	CPU  int64 `json:"cpu_us,omitempty"`
	Wall int64 `json:"wall_us,omitempty"`
	// Narrow is how many attempts run at once while minimising; 0 for as many as there are of replays.
	Narrow int `json:"narrow,omitempty"`
	// Cut is all that minimising has seen, Result how it ended so far.
	Cut    *minimize.State  `json:"cut,omitempty"`
	Result *minimize.Result `json:"result,omitempty"`
	// Cause is what was shown of it, or why nothing was.
	Cause string `json:"cause,omitempty"`
	// Witness is where the threads were at the deciding moment.
	Witness *explain.Witness `json:"witness,omitempty"`
	// Report is what the latest session told at its end; nil before.
	Report *reports.Repro `json:"report,omitempty"`
}

const reproSchema = 1

// cutWhole tells whether minimising came to its own end.
func (s *reproState) cutWhole() bool {
	return s.Result != nil && s.Result.Verdict != minimize.OutOfBudget
}

func (s *reproState) save(folder *campaign.Folder) error {
	data, err := json.MarshalIndent(s, "", "  ")
	if err == nil {
		err = durable.WriteFile(filepath.Join(folder.Path(), campaign.ReplayFile), append(data, '\n'), nil)
	}
	if err != nil {
		return fmt.Errorf("save the replays: %w", err)
	}
	return nil
}

func readRepro(folder *campaign.Folder) (reproState, error) {
	var s reproState
	data, err := os.ReadFile(filepath.Join(folder.Path(), campaign.ReplayFile))
	if errors.Is(err, os.ErrNotExist) {
		return s, usagef("resume campaign %s: it replays nothing: heisen hunt --resume %s goes on with it", folder.ID(), folder.ID())
	}
	if err == nil {
		err = json.Unmarshal(data, &s)
	}
	if err == nil && s.Schema != reproSchema {
		err = fmt.Errorf("schema %d, this heisen reads %d", s.Schema, reproSchema)
	}
	if err != nil {
		return s, fmt.Errorf("read %s of campaign %s: %w: replay the bundle anew", campaign.ReplayFile, folder.ID(), err)
	}
	return s, nil
}

// planRepro turns the command line into a job. Whatever is wrong is told before anything is made or started.
func planRepro(c *cli.Context, stderr io.Writer) (_ *reproJob, err error) {
	j := &reproJob{plan: &plan{store: campaign.NewStore(c.String(flagDir)), epoch: 1, session: 1, desk: replay.NewDesk()}}
	defer func() {
		if err != nil {
			err = errors.Join(err, j.plan.release())
		}
	}()
	if c.IsSet(flagResume) {
		err = j.resume(c)
	} else {
		j.state, err = askedOf(c)
	}
	if err != nil {
		return nil, err
	}
	b, err := openTrusted(c, &j.state)
	if err != nil {
		return nil, err
	}
	defer b.Close()
	if j.recipe, err = replay.Read(b); err != nil {
		return nil, err
	}
	return j, j.prepare(c, b, stderr)
}

// askedOf reads what is wanted of a new campaign of replays.
func askedOf(c *cli.Context) (s reproState, err error) {
	s = reproState{Schema: reproSchema, UntilFail: c.Bool(flagUntil), TrustEnv: c.Bool(flagTrustEnv), Replays: c.Int64(flagReplays),
		Minimize: c.Bool(flagMinimize) || c.Bool(flagExplain), Explain: c.Bool(flagExplain), Budget: c.Duration(flagTime)}
	ref, err := oneArgument(c, "a bundle, such as last")
	if err != nil {
		return s, err
	}
	if s.Replays < 1 || c.Int64(flagPlain) < 0 {
		return s, usagef("-n %d --plain %d: give at least 1 replay, and no fewer than 0 plain attempts", s.Replays, c.Int64(flagPlain))
	}
	if s.Budget <= 0 || s.Minimize && s.UntilFail {
		return s, usagef("--budget %v: give a time above zero, and --minimize without --until-fail", s.Budget)
	}
	if s.UntilFail && !c.IsSet(flagReplays) {
		s.Replays = 0
	}
	switch s.Plain = c.Int64(flagPlain); {
	case s.UntilFail && s.Plain > 0:
		return s, usagef("--until-fail --plain %d: attempts left alone are for a rate: leave one of the two out", s.Plain)
	case !s.UntilFail && !c.IsSet(flagPlain):
		s.Plain = s.Replays
	}
	if c.IsSet(flagCmd) {
		if s.Cmd, err = splitWords(c.String(flagCmd)); err != nil {
			return s, err
		}
	}
	s.Bundle, err = campaign.NewStore(c.String(flagDir)).ResolveBundle(ref)
	return s, err
}

func (j *reproJob) resume(c *cli.Context) error {
	if c.Args().Present() || c.IsSet(flagReplays) || c.IsSet(flagPlain) || c.IsSet(flagCmd) || c.IsSet(flagUntil) {
		return usagef("--resume goes on with what was asked for then: give nothing else, or replay the bundle anew")
	}
	folder, err := j.plan.store.Open(c.String(flagResume))
	if err != nil {
		return err
	}
	if j.state, err = readRepro(folder); err != nil {
		return err
	}
	_, err = j.plan.take(folder)
	return err
}

// prepare makes the plan of the session from the recipe, and names what is not as it was.
func (j *reproJob) prepare(c *cli.Context, b *bundle.Bundle, stderr io.Writer) error {
	p, m := j.plan, &b.Manifest
	p.spec = j.recipe.Spec
	p.spec.Keep, p.spec.Seed = reproKeep(), m.Attempt.CampaignSeed
	if j.state.Trusted && !j.state.TrustEnv {
		var dropped []string
		if p.spec.Command.Env, dropped = replay.Safe(p.spec.Command.Env); len(dropped) > 0 {
			fmt.Fprintf(stderr, "not set, since the bundle is from elsewhere: %s (--trust-env sets them)\n", strings.Join(dropped, ", "))
		}
	} else if !j.state.Trusted {
		p.spec.Command.Env = append(p.spec.Command.Env, ownVariables(b)...)
	}
	if c.IsSet(flagJobs) {
		if err := applyJobs(c, &p.spec); err != nil {
			return err
		}
	}
	if plan := j.recipe.Plan; plan != nil {
		p.spec.Chaos = run.ChaosPolicy{Strategies: []string{plan.Strategy}, MaxHold: plan.MaxHold, Budget: plan.Budget}
	}
	if len(j.state.Cmd) > 0 {
		p.spec.Command.Args = j.state.Cmd
		path, err := resolve(j.state.Cmd[0], p.spec.Command.Dir)
		if err != nil {
			return err
		}
		p.spec.Command.Path = path
	}
	if err := runnable(p.spec.Command); err != nil {
		return err
	}
	if err := p.identify(c, stderr); err != nil {
		return err
	}
	p.programs.only(m.Attempt.Seq)
	j.differences = replay.Differences(m, provenance.System.Host(context.Background()), p.identity, version)
	return nil
}

// runnable tells in one line what a bundle from another machine usually lacks here.
func runnable(cmd run.Command) error {
	if !strings.Contains(cmd.Path, "{") {
		if info, err := os.Stat(cmd.Path); err != nil || info.IsDir() {
			return usagef("the recorded program %q is not here: give one with --cmd", cmd.Path)
		}
	}
	if strings.HasPrefix(cmd.Dir, "{") {
		return nil
	}
	if info, err := os.Stat(cmd.Dir); err != nil || !info.IsDir() {
		return usagef("the recorded working folder %q is not here: make it, then replay", cmd.Dir)
	}
	return nil
}

// ownVariables are those that were given to a campaign here with --env: their values are in its journal, not in the
// bundle.
func ownVariables(b *bundle.Bundle) []string {
	folder, ok := campaignOf(b.Path())
	if !ok {
		return nil
	}
	figures, err := readTally(folder)
	if err != nil {
		return nil
	}
	if _, latest := figures.Began(); latest.Epoch == b.Manifest.Epoch {
		return slices.Clone(latest.Spec.Command.Env)
	}
	return nil
}
