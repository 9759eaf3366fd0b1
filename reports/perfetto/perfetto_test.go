package perfetto_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"

	"heisen/reports/evidence"
	"heisen/reports/internal/golden"
	"heisen/reports/internal/recorded"
	"heisen/reports/perfetto"
)

// messages are the fields that hold messages, by the path of numbers to them.
var messages = map[string]bool{"1": true, "1.60": true, "1.60.3": true, "1.60.4": true, "1.11": true}

// decode reads what protowire reads, into lines of PATH=VALUE: the wire form without any schema of ours.
func decode(t *testing.T, path string, data []byte, out *strings.Builder) {
	for len(data) > 0 {
		field, kind, n := protowire.ConsumeTag(data)
		require.Positive(t, n)
		data = data[n:]
		at := strings.TrimPrefix(fmt.Sprintf("%s.%d", path, field), ".")
		switch kind {
		case protowire.VarintType:
			v, n := protowire.ConsumeVarint(data)
			require.Positive(t, n)
			data = data[n:]
			fmt.Fprintf(out, "%s=%d\n", at, v)
		case protowire.BytesType:
			v, n := protowire.ConsumeBytes(data)
			require.Positive(t, n)
			data = data[n:]
			if messages[at] {
				decode(t, at, v, out)
				continue
			}
			fmt.Fprintf(out, "%s=%q\n", at, v)
		default:
			t.Fatalf("wire type %d", kind)
		}
	}
}

func TestTheTraceOfARecordedFailure(t *testing.T) {
	fail, _ := recorded.Attempts(t)
	var b bytes.Buffer
	require.NoError(t, perfetto.Write(&b, fail))
	var out strings.Builder
	decode(t, "", b.Bytes(), &out)
	golden.Equal(t, "fail.txt", out.String())
	require.Equal(t, strings.Count(out.String(), "1.11.9=1\n"), strings.Count(out.String(), "1.11.9=2\n"), "every slice ends")
	require.Equal(t, len(fail.Spans)+2, strings.Count(out.String(), "1.11.9=1\n"), "on-CPU spans and holds")
	require.Equal(t, len(fail.Trace.Points), strings.Count(out.String(), "1.11.9=3\n"))
}

func TestNothingRecordedIsAnError(t *testing.T) {
	require.ErrorContains(t, perfetto.Write(&bytes.Buffer{}, &evidence.Attempt{}), "--sched on")
	require.Error(t, perfetto.Write(&bytes.Buffer{}, nil))
}
