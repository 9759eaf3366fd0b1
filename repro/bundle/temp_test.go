package bundle

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// keep archives a temp folder and returns what the bundle says and holds of it.
func keep(t *testing.T, temp string, limits TempLimits) (*Temp, map[string]string) {
	t.Helper()
	c := sample(t)
	c.Temp, c.TempLimits = temp, limits
	campaign := t.TempDir()
	ref, err := Write(campaign, "abcd/00000007", c)
	require.NoError(t, err)
	b := opened(t, filepath.Join(campaign, ref.Path))
	require.NoError(t, b.Verify())
	held := make(map[string]string)
	for _, f := range b.Manifest.Files {
		if name, ok := strings.CutPrefix(f.Path, TempFolder+"/"); ok {
			data, err := b.ReadFile(f.Path)
			require.NoError(t, err)
			held[name] = string(data)
		}
	}
	return b.Manifest.Temp, held
}

func why(report *Temp) map[string]string {
	m := make(map[string]string)
	for _, s := range report.Skipped {
		m[string(s.Path)] = s.Why
	}
	return m
}

func TestFault51TempLinksAndDevicesAreSkippedAndSaid(t *testing.T) {
	temp := t.TempDir()
	secret := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(secret, []byte("canary"), 0o600))
	in := func(name string) string { return filepath.Join(temp, name) }
	require.NoError(t, os.WriteFile(in("good"), []byte("good"), 0o600))
	require.NoError(t, os.Symlink(secret, in("link")))
	require.NoError(t, os.Symlink(filepath.Dir(secret), in("folderlink")))
	require.NoError(t, os.Symlink("good", in("inner")))
	require.NoError(t, os.Link(secret, in("hard")))
	require.NoError(t, syscall.Mkfifo(in("fifo"), 0o600))
	// A short relative path: socket addresses hold 108 bytes (unix(7)).
	t.Chdir(temp)
	l, err := net.Listen("unix", "sock")
	require.NoError(t, err)
	defer l.Close()

	report, held := keep(t, temp, TempLimits{})
	require.Equal(t, map[string]string{"good": "good"}, held)
	require.Equal(t, map[string]string{
		"link": "a symbolic link", "folderlink": "a symbolic link", "inner": "a symbolic link",
		"hard": "a file with several names (hard links)", "fifo": "a named pipe", "sock": "a socket",
	}, why(report))
	require.FileExists(t, in("good"), "the source must stay until the record is safe")
}

func TestFault51TempFolderReplacedByALinkIsNotFollowed(t *testing.T) {
	target := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(target, "secret"), []byte("canary"), 0o600))
	temp := filepath.Join(t.TempDir(), "tmp")
	require.NoError(t, os.Symlink(target, temp))
	report, held := keep(t, temp, TempLimits{})
	require.Empty(t, held)
	require.Contains(t, why(report)["."], "not followed")

	report, held = keep(t, filepath.Join(target, "gone"), TempLimits{})
	require.Empty(t, held)
	require.Contains(t, why(report)["."], "no such file")
}

func TestFault30OddNamesAreHashed(t *testing.T) {
	temp := t.TempDir()
	odd := []string{"\x1b]52;c;QQ==\a", "line\nbreak", "\xff\xfe", strings.Repeat("n", 250), "-rf", "back\\slash", "bidi\u202egnp"}
	for _, name := range odd {
		require.NoError(t, os.Mkdir(filepath.Join(temp, name), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(temp, name, "f"), []byte(name), 0o600))
	}
	report, held := keep(t, temp, TempLimits{})
	require.Len(t, held, len(odd))
	require.Len(t, report.Renamed, len(odd))
	for name, content := range held {
		require.Regexp(t, `^renamed-[0-9a-f]{16}/f$`, name)
		require.Equal(t, Text(content), report.Renamed["tmp/"+strings.TrimSuffix(name, "/f")])
	}
}

func TestTempLimitsAreKeptAndSaid(t *testing.T) {
	temp := t.TempDir()
	for name, size := range map[string]int{"a": 10, "b": 100, "c": 10} {
		require.NoError(t, os.WriteFile(filepath.Join(temp, name), make([]byte, size), 0o600))
	}
	report, held := keep(t, temp, TempLimits{Bytes: 25, Entries: 100})
	require.Len(t, held, 2)
	require.Equal(t, int64(20), report.Bytes)
	require.Equal(t, "100 bytes, more than is left of the 25 that are kept", why(report)["b"])

	report, held = keep(t, temp, TempLimits{Bytes: 1000, Entries: 2})
	require.Len(t, held, 2)
	require.Contains(t, why(report)["."], "more than 2 files")

	for i := range maxSkipped + 5 {
		require.NoError(t, os.Symlink("a", filepath.Join(temp, "l"+strings.Repeat("x", i))))
	}
	report, _ = keep(t, temp, TempLimits{})
	require.Len(t, report.Skipped, maxSkipped)
	require.Equal(t, 5, report.SkippedMore)
}

func TestTempTooDeepIsCut(t *testing.T) {
	temp := t.TempDir()
	t.Chdir(temp)
	for range maxDepth + 3 {
		require.NoError(t, os.Mkdir("d", 0o700))
		require.NoError(t, os.Chdir("d"))
	}
	report, _ := keep(t, temp, TempLimits{})
	require.Len(t, report.Skipped, 1)
	require.Equal(t, errTooDeep.Error(), report.Skipped[0].Why)
}

func TestAnEmptyTempFolderLeavesNothing(t *testing.T) {
	report, held := keep(t, t.TempDir(), TempLimits{})
	require.Nil(t, report)
	require.Empty(t, held)
}

func TestUnreadableTempEntriesAreSkippedAndSaid(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root reads everything")
	}
	temp := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(temp, "f"), []byte("x"), 0))
	require.NoError(t, os.WriteFile(filepath.Join(temp, "g"), []byte("x"), 0o600))
	require.NoError(t, os.Mkdir(filepath.Join(temp, "d"), 0))
	t.Cleanup(func() { _ = os.Chmod(filepath.Join(temp, "d"), 0o700) })
	report, held := keep(t, temp, TempLimits{})
	require.Equal(t, map[string]string{"g": "x"}, held)
	require.Contains(t, why(report)["f"], "permission denied")
	require.Contains(t, why(report)["d"], "permission denied")
}
