package interleave_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"heisen/stress/interleave"
)

func logForm(t *testing.T, name string) interleave.Form {
	t.Helper()
	log, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	return interleave.Canonical(interleave.FromLines(log))
}

func texts(f interleave.Form) []string {
	var list []string
	for _, e := range f.Events {
		list = append(list, f.Text(e))
	}
	return list
}

// The two logs of bpo-37224 as they were published, and as the canonical form has them.
func TestTheTwoLogsOfTheStarvedSubinterpreter(t *testing.T) {
	pass, fail := logForm(t, "bpo-37224-pass.log"), logForm(t, "bpo-37224-fail.log")
	require.NotEqual(t, pass.Variant, fail.Variant)
	require.Equal(t, []string{
		"In interp_create, the current state is: @1",
		"In interp_list_all, the current state is: @1",
		"Before interp runs, the current state is: @2",
		"In interp_list_all, the current state is: @1",
		"Before interp runs, the current state is: @1",
		"After interp runs, the current state is: @3",
		"In interp_list_all, the current state is: @1",
	}, texts(pass))
	require.Equal(t, []string{
		"In interp_create, the current state is: @1",
		"In interp_list_all, the current state is: @1",
		"In interp_list_all, the current state is: @1",
		"Before interp runs, the current state is: @1",
		"After interp runs, the current state is: @2",
		"In interp_list_all, the current state is: @1",
	}, texts(fail))
}

func TestTheTwoLogsPartAtTheThirdEventWhereTheThreadNeverRan(t *testing.T) {
	d := interleave.Between(logForm(t, "bpo-37224-pass.log"), logForm(t, "bpo-37224-fail.log"))
	require.Equal(t, 3, d.Number)
	require.Equal(t, "Before interp runs, the current state is: @2", d.Event)
	require.Equal(t, []string{"Before interp runs, the current state is: @2"}, d.Missing)
	require.Empty(t, d.Extra)
	require.Equal(t, []string{"@2"}, d.NeverRan)
	require.Contains(t, d.Sentence, "@2 never ran there")
	require.Contains(t, d.Sentence, "one attempt against another shows no cause")
	require.False(t, d.Separated)
	require.Equal(t, interleave.Row{Pass: "After interp runs, the current state is: @3", Fail: "After interp runs, the current state is: @3"},
		d.Columns[5], "both columns speak of the same identities by the same numbers")
	require.Equal(t, interleave.Row{Pass: "Before interp runs, the current state is: @2"}, d.Columns[2])
}
