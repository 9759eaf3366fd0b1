// Package tool finds the programs that tests of the formats look at reports with.
package tool

import (
	"os"
	"os/exec"
	"testing"
)

// Path is where a command is. Without it the test is skipped, with the Debian package that brings it; or fails where
// HEISEN_TOOLS_MUST_RUN=1 says that the machine was made ready, so that no skip hides anything.
func Path(t testing.TB, command, debian string) string {
	t.Helper()
	path, err := exec.LookPath(command)
	switch {
	case err == nil:
		return path
	case os.Getenv("HEISEN_TOOLS_MUST_RUN") == "1":
		t.Fatalf("no %s: apt-get install %s", command, debian)
	}
	t.Skipf("no %s: apt-get install %s", command, debian)
	return ""
}
