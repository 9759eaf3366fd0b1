package bundle

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestJUnitReportsOfTheTempFolder(t *testing.T) {
	temp, outside := t.TempDir(), t.TempDir()
	write := func(dir, name, text string) {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	write(temp, "report.xml", `<testsuite name="one"/>`)
	write(temp, "sub/report.xml", `<testsuites><testsuite name="two"/></testsuites>`)
	write(temp, "other.xml", `<project/>`)
	write(temp, "report.txt", `<testsuite name="three"/>`)
	write(outside, "secret.xml", `<testsuite name="secret"/>`)
	require.NoError(t, os.Symlink(filepath.Join(outside, "secret.xml"), filepath.Join(temp, "link.xml")))

	got := string(junitReports(temp))
	require.Contains(t, got, `"one"`)
	require.Contains(t, got, `"two"`)
	for _, not := range []string{"three", "project", "secret"} {
		require.NotContains(t, got, not)
	}
	require.Empty(t, junitReports(filepath.Join(temp, "missing")))
	require.Empty(t, junitReports(""))
}
