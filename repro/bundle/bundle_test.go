package bundle

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/stress/run"
)

func chunk(stream run.Stream, ms int, text string) run.Chunk {
	return run.Chunk{Stream: stream, At: time.Duration(ms) * time.Millisecond, Data: []byte(text)}
}

// sample is a small failing attempt with everything a bundle can hold.
func sample(t testing.TB) Contents {
	t.Helper()
	temp := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(temp, "sub"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(temp, "sub", "left.txt"), []byte("left behind"), 0o777))
	return Contents{
		Manifest: Manifest{
			Campaign: "c1", Epoch: 1,
			Attempt: Attempt{Seq: 7, Try: 1, Seed: 1<<64 - 1, Temp: Text(temp)},
			Command: Command{
				Given: []Text{"t", "{tmp}", "\xff"}, Args: []Text{"t", Text(temp), "\xff"},
				Path: "/bin/true", Dir: "/",
			},
			Environment: Environment{Values: map[string]Text{"LANG": "C"}, Names: []Text{"SECRET"}},
			Ending:      Ending{Outcome: run.Fail, Code: 1},
			Signature:   &Signature{ID: "abcd", Title: "boom"},
		},
		Output: &run.Output{
			Head:  []run.Chunk{chunk(run.Stdout, 1, "one\ntw"), chunk(run.Stderr, 2, "err\n"), chunk(run.Stdout, 3, "o\n")},
			Tail:  []run.Chunk{chunk(run.Stdout, 9, "dump\n")},
			Total: 117, Omitted: 100,
		},
		DumpAt: 112, Temp: temp,
	}
}

// written writes the sample and returns the bundle's folder.
func written(t testing.TB) (string, Ref) {
	t.Helper()
	campaign := t.TempDir()
	ref, err := Write(campaign, "abcd/00000007", sample(t))
	require.NoError(t, err)
	return filepath.Join(campaign, ref.Path), ref
}

func opened(t testing.TB, dir string) *Bundle {
	t.Helper()
	b, err := Open(dir)
	require.NoError(t, err)
	t.Cleanup(func() { _ = b.Close() })
	return b
}

func TestRoundTrip(t *testing.T) {
	dir, ref := written(t)
	require.Equal(t, "bundles/abcd/00000007", ref.Path)
	b := opened(t, dir)
	require.NoError(t, b.Verify())
	require.Equal(t, ref.ManifestHash, b.Hash)
	m := b.Manifest
	require.Equal(t, Schema, m.Schema)
	require.Equal(t, uint64(1<<64-1), m.Attempt.Seed)
	require.Equal(t, []Text{"t", "{tmp}", "\xff"}, m.Command.Given, "an argument that is not UTF-8 lost bytes")
	require.Equal(t, Output{Total: 117, Kept: 17, Omitted: 100, Gap: 12, Dump: 12}, m.Output)
	require.Equal(t, &Temp{Files: 1, Bytes: 11}, m.Temp)
	var paths []string
	for _, f := range m.Files {
		paths = append(paths, f.Path)
	}
	require.Equal(t, []string{DumpFile, OutputFile, TimesFile, ScriptFile, "tmp/sub/left.txt"}, paths)

	log, err := b.Output()
	require.NoError(t, err)
	require.Equal(t, "one\ntwerr\no\ndump\n", string(log))
	dump, err := b.Dump()
	require.NoError(t, err)
	require.Equal(t, "dump\n", string(dump))
	lines, err := b.Lines()
	require.NoError(t, err)
	ms := time.Millisecond
	require.Equal(t, []Line{
		{Offset: 0, At: ms, Stream: run.Stdout, Text: []byte("one\n")},
		{Offset: 4, At: ms, Stream: run.Stdout, Text: []byte("tw")},
		{Offset: 6, At: 2 * ms, Stream: run.Stderr, Text: []byte("err\n")},
		{Offset: 10, At: 3 * ms, Stream: run.Stdout, Text: []byte("o\n")},
		{Offset: 12, At: 9 * ms, Stream: run.Stdout, Text: []byte("dump\n"), AfterGap: true},
	}, slices.Collect(lines))
	_, err = b.ReadFile("../../../etc/passwd")
	require.ErrorContains(t, err, "no such file")
}

func TestAnEmptyOutputHasNoLinesAndNoDump(t *testing.T) {
	c := sample(t)
	c.Output, c.DumpAt, c.Temp = &run.Output{}, -1, ""
	campaign := t.TempDir()
	ref, err := Write(campaign, "pass/00000001", c)
	require.NoError(t, err)
	b := opened(t, filepath.Join(campaign, ref.Path))
	lines, err := b.Lines()
	require.NoError(t, err)
	require.Empty(t, slices.Collect(lines))
	require.False(t, b.Has(DumpFile))
	require.Nil(t, b.Manifest.Temp)
	require.Equal(t, int64(-1), b.Manifest.Output.Dump)
}

func TestFault50PermissionsWhateverTheUmask(t *testing.T) {
	for _, mask := range []int{0, 0o777} {
		c := sample(t)
		campaign := t.TempDir()
		old := syscall.Umask(mask)
		ref, err := Write(campaign, "abcd/00000007", c)
		syscall.Umask(old)
		require.NoError(t, err)
		files := 0
		require.NoError(t, filepath.WalkDir(filepath.Join(campaign, Folder), func(p string, e os.DirEntry, err error) error {
			require.NoError(t, err)
			info, err := e.Info()
			require.NoError(t, err)
			want := os.FileMode(0o600)
			if e.IsDir() {
				want = 0o700
			}
			require.Equal(t, want, info.Mode().Perm(), p)
			files++
			return nil
		}))
		require.Greater(t, files, 8)
		require.NoError(t, opened(t, filepath.Join(campaign, ref.Path)).Verify())
	}
}

func TestFault51PlantedLinksAreNotWrittenThrough(t *testing.T) {
	for name, plant := range map[string]func(campaign, elsewhere string) error{
		"bundles": func(c, elsewhere string) error { return os.Symlink(elsewhere, filepath.Join(c, Folder)) },
		"bundles, inside": func(c, _ string) error {
			if err := os.Mkdir(filepath.Join(c, "other"), 0o700); err != nil {
				return err
			}
			return os.Symlink("other", filepath.Join(c, Folder))
		},
		"signature": func(c, elsewhere string) error {
			if err := os.Mkdir(filepath.Join(c, Folder), 0o700); err != nil {
				return err
			}
			return os.Symlink(elsewhere, filepath.Join(c, Folder, "abcd"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			campaign, elsewhere := t.TempDir(), t.TempDir()
			require.NoError(t, plant(campaign, elsewhere))
			_, err := Write(campaign, "abcd/00000007", sample(t))
			require.ErrorContains(t, err, "move it away")
			left, err := os.ReadDir(elsewhere)
			require.NoError(t, err)
			require.Empty(t, left)

			place := filepath.Join(campaign, Folder, "abcd", "00000007")
			require.NoError(t, os.MkdirAll(place, 0o700))
			real, err := filepath.EvalSymlinks(place)
			require.NoError(t, err)
			require.NotEqual(t, place, real, "control: made by its path alone, it is written through the link")
		})
	}
}

func TestFault30PlacesThatLeadElsewhereAreRefused(t *testing.T) {
	for _, place := range []string{"../x", "a/../../x", "/etc/x", "x", "a/b/c", "a/..", ""} {
		_, err := Write(t.TempDir(), place, sample(t))
		require.ErrorContains(t, err, "not FOLDER/NAME", place)
	}
}

// TestFault30Control: joined to a path as they are, such names lead outside or cannot be made at all.
func TestFault30Control(t *testing.T) {
	root := t.TempDir()
	campaign := filepath.Join(root, "campaign", Folder)
	require.NoError(t, os.MkdirAll(campaign, 0o700))
	require.NoError(t, os.MkdirAll(filepath.Join(campaign, "a/../../../x"), 0o700))
	require.DirExists(t, filepath.Join(root, "x"), "beside the campaign")
	for _, name := range []string{"a\x00b", strings.Repeat("n", 300)} {
		require.Error(t, os.Mkdir(filepath.Join(campaign, name), 0o700))
	}
}
