package main

import (
	"heisen/repro/bundle"
	"heisen/repro/signature"
	"heisen/stress/run"
)

// sign gives a failure its identity.
func sign(fin *run.Finished, res *run.Result) bundle.Signature {
	out := &res.Evidence.Output
	s := signature.Of(signature.Input{
		Output: out.Bytes(), DumpAt: out.Kept(res.Evidence.DumpAt), Outcome: fin.Outcome,
		Code: res.Ending.Code, Signal: res.Ending.SignalName, Leaked: fin.Leaked,
	})
	b := bundle.Signature{ID: s.ID, Title: s.Title, Hang: s.Hang, Environment: s.Environment}
	for _, f := range s.Failures {
		b.Failures = append(b.Failures, bundle.Failure(f))
	}
	return b
}
