package junit_test

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"heisen/reports"
	"heisen/reports/evidence"
	"heisen/reports/internal/recorded"
	"heisen/reports/internal/tool"
	"heisen/reports/junit"
	"heisen/stress/run"
)

// Every report is valid by the schema in testdata, and the schema is one that can say no.
func TestReportsKeepTheSchema(t *testing.T) {
	lint := tool.Path(t, "xmllint", "libxml2-utils")
	fail, _ := recorded.Attempts(t)
	for name, events := range map[string][]run.Event{"rare": recorded.Rare(), "troubled": recorded.Troubled(), "clean": recorded.Clean(),
		"unjudged": recorded.Unjudged(), "not started": recorded.NotStarted(), "empty": nil} {
		r := reports.Build(recorded.Tally(t, events), reports.Facts{Dir: recorded.Dir})
		r.Command = append(r.Command, recorded.Hostile, recorded.Markup)
		var b bytes.Buffer
		require.NoError(t, junit.Write(&b, r, func(string) *evidence.Attempt { return fail }))
		said, err := validate(lint, b.String())
		require.NoError(t, err, "%s: %s", name, said)
		for from, to := range map[string]string{`<testsuite name=`: `<testsuite title=`, `time="`: `time="x`, `<testcase `: `<properties/><testcase `, `tests="`: `tests="x`} {
			_, err := validate(lint, strings.Replace(b.String(), from, to, 1))
			require.Error(t, err, "%s with %s is refused", name, to)
		}
	}
}

func validate(lint, document string) (said string, err error) {
	cmd := exec.Command(lint, "--noout", "--nonet", "--schema", filepath.Join("testdata", "junit.xsd"), "-")
	cmd.Stdin = strings.NewReader(document)
	out, err := cmd.CombinedOutput()
	return string(out), err
}
