package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSplitWords(t *testing.T) {
	for line, want := range map[string][]string{
		"a b\tc":                {"a", "b", "c"},
		`  sh -c "exit 3"  `:    {"sh", "-c", "exit 3"},
		`a '' "b\"c\d" 'd\e'`:   {"a", "", `b"c\d`, `d\e`},
		`a\ b --x='y z'$HOME ;`: {"a b", "--x=y z$HOME", ";"},
	} {
		words, err := splitWords(line)
		require.NoError(t, err)
		require.Equal(t, want, words)
	}
	for _, line := range []string{"", "  ", `a "b`, `a '`, `a\`} {
		_, err := splitWords(line)
		require.Error(t, err, line)
	}
}
