package github_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"heisen/reports"
	"heisen/reports/github"
	"heisen/reports/internal/recorded"
)

func TestOneCommandForEachKindAndNoneOfTheTests(t *testing.T) {
	r := reports.Build(recorded.Tally(t, recorded.Troubled()), reports.Facts{})
	r.Signatures[0].Title += "\n::warning::x %0A::warning::y"
	var b bytes.Buffer
	require.NoError(t, github.Annotate(&b, r))
	lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	require.Len(t, lines, len(r.Signatures))
	for _, l := range lines {
		require.True(t, strings.HasPrefix(l, "::error title=heisen%3A 1 failure::"), l)
		require.NotContains(t, l, "%0A")
		require.NotContains(t, l, "##vso[")
	}
	for range 20 {
		r.Signatures = append(r.Signatures, reports.Signature{ID: "x"})
	}
	b.Reset()
	require.NoError(t, github.Annotate(&b, r))
	require.Equal(t, 10, strings.Count(b.String(), "\n"))
}
