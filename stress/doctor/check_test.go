package doctor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestProbeThatHangsIsReportedMissing(t *testing.T) {
	hang := make(chan struct{})
	defer close(hang)
	c := within(context.Background(), time.Millisecond, probe{"stuck", func() Check {
		<-hang
		return Check{State: OK}
	}})
	require.Equal(t, "stuck", c.Name)
	require.Equal(t, Missing, c.State)
	require.Contains(t, c.Found, "did not answer within 1ms")
}

func TestProbeThatAnswersIsKept(t *testing.T) {
	c := within(context.Background(), time.Hour, probe{"quick", func() Check { return Check{State: OK, Found: "it"} }})
	require.Equal(t, Check{Name: "quick", State: OK, Found: "it"}, c)
}

func TestSupervisionStates(t *testing.T) {
	full := supervision(Supervision{Tier: "cgroup", Full: true})
	require.Equal(t, OK, full.State)
	require.Empty(t, full.Lost)

	less := supervision(Supervision{Tier: "group", Lacks: []string{"limits", "freezing"}, Remedy: "run as root"})
	require.Equal(t, Lesser, less.State)
	require.Equal(t, "limits; freezing", less.Lost)
	require.Equal(t, "run as root", less.Remedy)

	none := supervision(Supervision{})
	require.Equal(t, Missing, none.State)
}

func TestDebugRegistersStates(t *testing.T) {
	require.Equal(t, OK, debugRegisters(nil).State)
	less := debugRegisters(errors.New("they are deaf"))
	require.Equal(t, Lesser, less.State)
	require.Equal(t, "they are deaf", less.Found)
	require.NotEmpty(t, less.Lost)
	require.NotEmpty(t, less.Remedy)

	asked := Examine(context.Background(), Input{TempDir: t.TempDir(), DebugRegisters: func() error { return nil }})
	require.Equal(t, "debug registers", asked.Checks[len(asked.Checks)-1].Name)
}

func TestTextShowsEveryCheck(t *testing.T) {
	r := Report{
		Machine: Machine{System: "Linux 6.1", Arch: "amd64", Resources: Resources{CPUs: 2, AvailableBytes: 3 << 30}},
		Width:   16, Why: "8 per CPU, 2 CPUs",
		Checks: []Check{
			{Name: "pressure", State: OK, Found: "there"},
			{Name: "tracing", State: Missing, Found: "refused", Lost: "holds", Remedy: "allow it"},
		},
	}
	var out bytes.Buffer
	require.NoError(t, r.Text(&out))
	require.Equal(t, strings.Join([]string{
		"Linux 6.1, amd64, 2 CPUs, 3.0 GiB of memory available",
		"default -j 16: 8 per CPU, 2 CPUs",
		"",
		"ok       pressure           there",
		"missing  tracing            refused",
		"                            lost:      holds",
		"                            to get it: allow it",
		"",
		"1 ok, 0 lesser, 1 missing; heisen works without what is missing",
		"",
	}, "\n"), out.String())
}

// A setting of the machine is text from a stranger: an escape in it must not reach the terminal.
func TestTextEscapesWhatTheMachineSays(t *testing.T) {
	r := Report{Checks: []Check{{Name: "core dumps", State: OK, Found: "\x1b]52;c;QQ==\a\u009b31m\x7f"}}}
	var out bytes.Buffer
	require.NoError(t, r.Text(&out))
	for _, forbidden := range []string{"\x1b", "\a", "\u009b", "\x7f"} {
		require.NotContains(t, out.String(), forbidden)
	}
	require.Contains(t, out.String(), "]52;c;QQ==")
}

func TestJSONKeepsTheNames(t *testing.T) {
	r := Report{Width: 16, Why: "so", Machine: Machine{Resources: Resources{CPUs: 2}},
		Checks: []Check{{Name: "memory", State: Lesser, Found: "x", Lost: "y", Remedy: "z"}}}
	var out bytes.Buffer
	require.NoError(t, r.JSON(&out))
	var got map[string]any
	require.NoError(t, json.Unmarshal(out.Bytes(), &got))
	require.Equal(t, 16.0, got["default_width"])
	require.Equal(t, 2.0, got["machine"].(map[string]any)["cpus"])
	require.Equal(t, map[string]any{"name": "memory", "state": "lesser", "found": "x", "lost": "y", "remedy": "z"},
		got["checks"].([]any)[0])
}
