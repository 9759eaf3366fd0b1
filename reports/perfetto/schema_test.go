package perfetto_test

import (
	"bytes"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"heisen/reports/internal/recorded"
	"heisen/reports/internal/tool"
	"heisen/reports/perfetto"
)

// protoc decodes the trace by Perfetto's names for the fields: what is not in the schema it would show as a bare
// number.
func TestTheTraceByItsSchema(t *testing.T) {
	protoc := tool.Path(t, "protoc", "protobuf-compiler")
	fail, pass := recorded.Attempts(t)
	var b bytes.Buffer
	require.NoError(t, perfetto.Write(&b, fail))
	text := decoded(t, protoc, b.Bytes())
	require.NotRegexp(t, `(?m)^\s*\d+[:{ ]`, text, "a field that the schema does not have")
	require.Equal(t, strings.Count(text, "TYPE_SLICE_BEGIN"), strings.Count(text, "TYPE_SLICE_END"))
	require.Equal(t, len(fail.Trace.Points), strings.Count(text, "TYPE_INSTANT"))
	for i, th := range fail.Trace.Threads {
		require.Contains(t, text, fmt.Sprintf("      pid: %d\n      tid: %d\n", th.PID, th.TID), "thread %d", i)
	}
	require.Contains(t, text, `name: "open"`)
	require.Contains(t, text, `name: "held at futex.exit"`)
	require.Contains(t, text, `process_name: "attempt 17: python3 -m unittest`)
	require.Contains(t, text, "timestamp: 8000000\n")

	b.Reset()
	require.NoError(t, perfetto.Write(&b, pass))
	require.NotEqual(t, text, decoded(t, protoc, b.Bytes()))
	unknown := append(b.Bytes(), 0x0a, 0x02, 0x30, 0x01) // a packet with a field 6 of our own making
	require.Regexp(t, `(?m)^\s*6: 1`, decoded(t, protoc, unknown), "the check above can fail")
}

func decoded(t *testing.T, protoc string, data []byte) string {
	t.Helper()
	cmd := exec.Command(protoc, "--decode=perfetto.protos.Trace", "--proto_path=testdata", "trace.proto")
	cmd.Stdin = bytes.NewReader(data)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	require.NoError(t, err, complaints.String())
	return string(out)
}
