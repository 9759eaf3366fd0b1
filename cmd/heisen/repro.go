package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/urfave/cli/v2"

	"heisen/reports"
	"heisen/reports/text"
	"heisen/repro/minimize"
	"heisen/repro/replay"
	"heisen/stress/proc/guard"
	"heisen/stress/run"
)

const (
	flagReplays  = "replays"
	flagPlain    = "plain"
	flagCmd      = "cmd"
	flagTrust    = "trust"
	flagTrustEnv = "trust-env"

	defaultReplays = 20
)

const reproHelp = `It runs the recorded command under the recorded conditions (what was done to the schedule, --load, --weak, -j,
variables, folder) and says how often the same failure came back, beside attempts left alone. What is not
as it was recorded is named before anything runs.

A bundle from elsewhere runs nothing before what it would run was shown and agreed to: asked for on a
terminal, else by --trust with the hash shown. Its variables that have code loaded (LD_*, PATH, GODEBUG, ...)
are dropped without --trust-env. Trust is no sandbox.

EXAMPLES:
   heisen repro last
   heisen repro last -n 100 --plain 400 --json
   heisen repro last --until-fail
   heisen repro last --minimize --budget 2m
   heisen repro last --explain
   heisen repro last --cmd './fixed.test -test.run TestX'
   heisen repro --resume last

EXIT CODES: 0 it came back, 11 it did not; the others are as heisen --help has them.`

func reproCommand(stdout, stderr io.Writer) *cli.Command {
	return &cli.Command{
		Name:         "repro",
		Usage:        "run a recorded failure again, and say how often it comes back",
		ArgsUsage:    "BUNDLE|last",
		Description:  reproHelp,
		BashComplete: completeReferences,
		OnUsageError: onUsageError,
		Flags: []cli.Flag{dirFlag(), jsonFlag(),
			&cli.Int64Flag{Name: flagReplays, Aliases: []string{"n"}, Value: defaultReplays, Usage: "make `N` replays"},
			&cli.Int64Flag{Name: flagPlain, DefaultText: "as many as replays", Usage: "leave `N` attempts alone beside them"},
			&cli.IntFlag{Name: flagJobs, Aliases: []string{"j"}, DefaultText: "as recorded", Usage: "run `N` attempts at once"},
			&cli.BoolFlag{Name: flagUntil, Usage: "stop when it came back; without -n, go on until then"},
			&cli.BoolFlag{Name: flagMinimize, Usage: "cut the plan down to the holds and conditions that the failure takes"},
			&cli.BoolFlag{Name: flagExplain, Usage: "minimise, then look for the order of two events that decides, test it in both directions, and take the threads' stacks at that moment"},
			&cli.DurationFlag{Name: flagTime, Value: defaultCutTime, Usage: "minimise for at most `TIME`; --resume goes on"},
			&cli.StringFlag{Name: flagCmd, Usage: "run `COMMAND` instead of the recorded one: words, which may be quoted; no shell"},
			&cli.StringFlag{Name: flagTrust, Usage: "run the bundle with this `HASH`, wherever it is from"},
			&cli.BoolFlag{Name: flagTrustEnv, Usage: "set all variables of a bundle from elsewhere"},
			&cli.StringFlag{Name: flagResume, Usage: "go on with the replays of `CAMPAIGN` (an id, or last)"},
		},
		Action: func(c *cli.Context) error {
			return guardedAs(stderr, func() ([]string, error) { return consent(c, stderr) }, func(link *guard.Link) error {
				job, err := planRepro(c, stderr)
				if err != nil {
					return err
				}
				return job.run(link, c.Bool(flagJSON), stdout, stderr)
			})
		},
	}
}

// reproJob is a replay put together: what is to be done, and what was seen of it.
type reproJob struct {
	plan   *plan
	recipe *replay.Recipe
	state  reproState
	// differences are told before the run.
	differences []string
	session     *session
}

// run makes the replays and tells what came of them.
func (j *reproJob) run(link *guard.Link, asJSON bool, stdout, stderr io.Writer) error {
	for _, d := range j.differences {
		fmt.Fprintln(stderr, "not as recorded: "+text.Escape(d))
	}
	s, err := openSession(j.plan, link, stderr)
	if err != nil {
		return err
	}
	j.session = s
	if err := j.state.save(s.folder); err != nil {
		return errors.Join(err, s.close())
	}
	ended, err := j.drive(s)
	if err != nil {
		return err
	}
	report := *j.state.Report
	if asJSON {
		err = reports.WriteJSON(stdout, report)
	} else {
		err = text.Repro(stdout, report, styleFor(stdout))
	}
	if err != nil {
		return err
	}
	return reproVerdict(report, ended)
}

// drive runs the engine and orders attempts meanwhile.
func (j *reproJob) drive(s *session) (run.Ended, error) {
	s.announce()
	stopFollowing := s.follow()
	s.view.Start(s.engine)
	done := make(chan error, 1)
	go func() {
		err := j.order(context.Background())
		s.engine.Finish()
		done <- err
	}()
	ended, err := s.engine.Run()
	j.plan.desk.End()
	ordered := <-done
	stopFollowing()
	s.view.Close()
	if errors.Is(ordered, replay.ErrEnded) {
		ordered = nil // the session's end says why
	}
	report := j.report()
	j.state.Report = &report
	return ended, errors.Join(err, ordered, j.state.save(s.folder), s.close())
}

// order makes what is left of the replays and of the attempts left alone, in turn.
func (j *reproJob) order(ctx context.Context) error {
	for {
		orders := j.next()
		if len(orders) == 0 {
			break
		}
		if _, err := j.plan.desk.Try(ctx, orders, len(orders), j.count); err != nil {
			return err
		}
		if err := j.state.save(j.session.folder); err != nil {
			return err
		}
	}
	if j.state.Replayed.Reproduced == 0 {
		return nil
	}
	if j.state.Minimize && !j.state.cutWhole() {
		if err := j.cut(ctx); err != nil {
			return err
		}
	}
	if j.state.Explain && j.state.Cause == "" {
		return j.explain(ctx, j.state.Result)
	}
	return nil
}

// next are the orders that come next: so many that a save now and then keeps nobody waiting.
func (j *reproJob) next() []replay.Order {
	const atOnce = 4 // times the width
	s := &j.state
	if s.UntilFail && s.Replayed.Reproduced > 0 {
		return nil
	}
	most := atOnce * j.plan.spec.Width
	if s.UntilFail {
		most = j.plan.spec.Width
	}
	var orders []replay.Order
	replays, plain := s.ReplaysMade, s.PlainMade
	for len(orders) < most {
		switch {
		case plain < s.Plain && (replays >= s.Replays && s.Replays > 0 || plain*max(s.Replays, 1) < replays*s.Plain):
			orders = append(orders, replay.Order{})
			plain++
		case s.Replays == 0 || replays < s.Replays:
			orders = append(orders, j.replay())
			replays++
		default:
			return orders
		}
	}
	return orders
}

// replay is an order for the failing attempt again; undisturbed ones differ from plain ones only in their seed.
func (j *reproJob) replay() replay.Order {
	return replay.Order{Replay: true, Plan: j.recipe.Plan, Seed: j.recipe.Seed}
}

// count adds an answer to what was seen.
func (j *reproJob) count(a replay.Answer) {
	tally, made := &j.state.Left, &j.state.PlainMade
	if a.Order.Replay {
		tally, made = &j.state.Replayed, &j.state.ReplaysMade
	}
	*made++
	if !a.Judged() {
		return
	}
	tally.Attempts++
	switch j.recipe.Outcome(&a) {
	case minimize.Reproduced:
		tally.Reproduced++
	case minimize.OtherFailure:
		tally.Other++
	}
	if f := &a.Finished; a.Order.Replay {
		j.state.CPU, j.state.Wall = j.state.CPU+f.User+f.System, j.state.Wall+f.Wall
	}
	if c := a.Finished.Chaos; a.Order.Plan != nil && c != nil {
		if tally.Attempts == 1 || c.Made < j.state.Made[0] {
			j.state.Made[0] = c.Made
		}
		j.state.Made[1] = max(j.state.Made[1], c.Made)
	}
}

func (j *reproJob) report() reports.Repro {
	r := reports.Repro{Bundle: j.state.Bundle, Signature: j.recipe.Signature, Title: j.recipe.Title, Campaign: j.session.folder.Path(),
		Differences: j.differences, Replays: replaysOf(j.state.Replayed), Made: j.state.Made}
	if j.state.PlainMade > 0 {
		plain := replaysOf(j.state.Left)
		r.Plain = &plain
	}
	if plan := j.recipe.Plan; plan != nil {
		r.Strategy, r.Recorded = plan.Strategy, len(plan.Decisions)
		r.Decisions = r.Recorded
	}
	if r.Explanation = j.state.Cause; j.state.Explain && r.Reproduced == 0 && r.Attempts > 0 {
		r.Explanation = "cause not shown: the failure did not come back"
		if len(j.state.Cmd) == 0 { // else what ran may be the reason
			r.Explanation += j.another()
		}
	}
	r.Stacks = stacksOf(j.state.Witness)
	if r.Minimized = j.minimized(); r.Minimized != nil && r.Minimized.Verdict != string(minimize.CannotTell) {
		r.Decisions = len(r.Minimized.Holds)
	}
	return r
}

func replaysOf(t minimize.Tally) reports.Replays {
	return reports.CountReplays(t.Reproduced, t.Other, t.Attempts)
}

// reproVerdict is the exit code of a replay that could do its work, or why it could not.
func reproVerdict(r reports.Repro, ended run.Ended) error {
	if err := stopped(ended, "mend it, or give another with --cmd", "heisen repro --resume "+r.Campaign); err != nil {
		return err
	}
	switch {
	case r.Attempts == 0:
		return errors.New("no replay could be judged, so nothing is known: see the outcomes above")
	case r.Reproduced == 0:
		return coded(exitNotAgain)
	}
	return nil
}

// reproKeep is a little evidence of each kind: the hunt's campaign has more.
func reproKeep() run.Keep {
	return run.Keep{Failures: 5, Passes: 5, Variants: 5, OutputBytes: 1 << 20}
}
