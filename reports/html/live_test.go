package html

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"heisen/reports/internal/recorded"
)

// A page that is kept up to date is the same page: each of its parts is in it as it stands.
func TestPartsAreThoseOfThePage(t *testing.T) {
	p, file := hostile(t)
	parts, err := Parts(p)
	require.NoError(t, err)
	require.Len(t, parts, 2)
	for _, part := range parts {
		require.True(t, strings.HasPrefix(part.HTML, `<div id="`+part.ID+`">`), part.HTML[:40])
		require.Contains(t, file, part.HTML)
		require.NotContains(t, part.HTML, "<img")
		require.NotContains(t, part.HTML, recorded.Secret)
	}
}

// Only a page that somebody serves may connect, by that one script more, and only to where it came from.
func TestAServedPageMayConnectToItsServerAlone(t *testing.T) {
	p, file := hostile(t)
	require.NotContains(t, file, "connect-src")
	require.NotContains(t, file, `id="live"`)
	p.Live = "keep()"
	var b bytes.Buffer
	require.NoError(t, Write(&b, p))
	require.Contains(t, b.String(), "<script>keep()</script>")
	require.Contains(t, p.Policy(), hash("keep()")+"; connect-src 'self'")
	require.NotContains(t, p.Policy(), "unsafe")
}
