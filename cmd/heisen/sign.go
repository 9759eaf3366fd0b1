package main

import (
	"heisen/repro/signature"
	"heisen/stress/run"
)

// sign gives a failure its identity.
func sign(fin *run.Finished, res *run.Result, reports []byte) signature.Signature {
	out := &res.Evidence.Output
	return signature.Of(signature.Input{
		Output: withReports(out.Bytes(), reports), DumpAt: dumpAt(out.Kept(res.Evidence.DumpAt), len(reports)), Outcome: fin.Outcome,
		Code: res.Ending.Code, Signal: res.Ending.SignalName, Leaked: fin.Leaked,
	})
}

// withReports puts result files before the output: where the output has a stack dump, that stands last.
func withReports(output, reports []byte) []byte {
	if len(reports) == 0 {
		return output
	}
	return append(append(reports, '\n'), output...)
}

// dumpAt moves the dump's place by what stands before the output.
func dumpAt(at, reports int) int {
	if at < 0 || reports == 0 {
		return at
	}
	return at + reports + 1
}
