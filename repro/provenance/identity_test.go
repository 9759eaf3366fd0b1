package provenance

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"heisen/stress/run"
)

func put(t *testing.T, path, content string) string {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(content), 0o755))
	return path
}

func sum(content string) string {
	h := sha256.Sum256([]byte(content))
	return hex.EncodeToString(h[:])
}

func TestIdentifyHashesWhatRuns(t *testing.T) {
	dir := t.TempDir()
	exe := put(t, filepath.Join(dir, "bin/interp"), "ELF")
	put(t, filepath.Join(dir, "test.py"), "assert 1")
	abs := put(t, filepath.Join(dir, "data.bin"), "1234")
	put(t, filepath.Join(dir, "x{seed}"), "named like a placeholder")
	require.NoError(t, syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o600))
	cmd := run.Command{
		Path: exe, Dir: dir,
		Args: []string{"data.bin", "test.py", abs, "-m", "unittest", "bin", "fifo", "x{seed}", "", "a\x00b", "/dev/null"},
	}
	want := map[string]string{exe: sum("ELF"), filepath.Join(dir, "test.py"): sum("assert 1"), abs: sum("1234")}
	require.Equal(t, want, Identify(cmd).Hashes)

	put(t, filepath.Join(dir, "test.py"), "assert 2")
	require.Equal(t, sum("assert 2"), Identify(cmd).Hashes[filepath.Join(dir, "test.py")])
}

func TestIdentifySaysWhatItCouldNotHash(t *testing.T) {
	dir := t.TempDir()
	exe := put(t, filepath.Join(dir, "exe"), strings.Repeat("x", 100))
	got := identify(run.Command{Path: exe, Dir: dir, Args: []string{"exe", "exe"}}, 99)
	require.Equal(t, map[string]string{exe: "not hashed: 100 bytes, more than 99"}, got.Hashes)

	gone := filepath.Join(dir, "gone")
	require.Contains(t, Identify(run.Command{Path: gone, Dir: dir}).Hashes[gone], "not hashed: ")
}

func TestIdentifyLeavesRelativeNamesInAnUnknownFolder(t *testing.T) {
	require.Empty(t, Identify(run.Command{Dir: "{tmp}/work", Args: []string{"x", "identity_test.go"}}).Hashes)
}
