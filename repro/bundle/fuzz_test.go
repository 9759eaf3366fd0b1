package bundle

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// outside is what lies beside the bundle and must never be read.
const outside = "canary-outside-the-folder"

// FuzzOpen gives Open a hostile manifest and times file beside planted ways out of the folder. Whatever it
// answers, it does not panic, and no content that it hands out holds what lies outside.
func FuzzOpen(f *testing.F) {
	template, _ := written(f)
	manifest, err := os.ReadFile(filepath.Join(template, ManifestFile))
	require.NoError(f, err)
	times, err := os.ReadFile(filepath.Join(template, TimesFile))
	require.NoError(f, err)
	f.Add(manifest, times, byte(0))
	f.Add(bytes.ReplaceAll(manifest, []byte(OutputFile), []byte("../secret")), times, byte(1))
	f.Add(bytes.ReplaceAll(manifest, []byte(DumpFile), []byte("link")), times, byte(2))
	// Both ways out, with the right size and hash of what lies there: only the refusal of links is left.
	sum := sha256.Sum256([]byte(outside))
	for plant, name := range map[byte]string{1: "out/secret", 2: "link"} {
		entry := fmt.Sprintf(`"files": [{"path": %q, "size": %d, "sha256": %q},`, name, len(outside), hex.EncodeToString(sum[:]))
		f.Add(bytes.Replace(manifest, []byte(`"files": [`), []byte(entry), 1), times, plant)
	}
	f.Fuzz(func(t *testing.T, manifest, times []byte, plant byte) {
		base := t.TempDir()
		dir := filepath.Join(base, "bundle")
		require.NoError(t, os.CopyFS(dir, os.DirFS(template)))
		require.NoError(t, os.WriteFile(filepath.Join(base, "secret"), []byte(outside), 0o600))
		require.NoError(t, os.WriteFile(filepath.Join(dir, ManifestFile), manifest, 0o600))
		require.NoError(t, os.WriteFile(filepath.Join(dir, TimesFile), times, 0o600))
		if plant&1 != 0 {
			require.NoError(t, os.Symlink("..", filepath.Join(dir, "out")))
		}
		if plant&2 != 0 {
			require.NoError(t, os.Symlink("../secret", filepath.Join(dir, "link")))
		}
		b, err := Open(dir)
		if err != nil {
			return
		}
		defer b.Close()
		require.Zero(t, plant&3, "opened a folder that holds a link")
		for _, file := range b.Manifest.Files {
			if data, err := b.ReadFile(file.Path); err == nil {
				require.NotContains(t, string(data), outside)
			}
		}
		_ = b.Verify()
		if lines, err := b.Lines(); err == nil {
			total := 0
			for line := range lines {
				total += len(line.Text)
			}
			log, _ := b.Output()
			require.Len(t, log, total, "lines do not add up to the output")
		}
	})
}

// FuzzParseTimes: rows that are accepted cut any output of that size into lines that add up to it.
func FuzzParseTimes(f *testing.F) {
	f.Add([]byte("# c\n0\t5\tstdout\n3\t9\tstderr\n"), uint16(10))
	f.Add([]byte("0\t-1\tstdout\n0\t2\tstdout"), uint16(3))
	f.Add([]byte("9223372036854775807\t0\tstdout\n"), uint16(1))
	f.Fuzz(func(t *testing.T, data []byte, size uint16) {
		rows, err := parseTimes(data, int64(size))
		if err != nil {
			return
		}
		log := bytes.Repeat([]byte("ab\n"), int(size)/3+1)[:size]
		var joined []byte
		for line := range linesOf(log, rows, Output{}) {
			joined = append(joined, line.Text...)
		}
		require.Equal(t, len(log), len(joined))
		again, err := parseTimes(formatTimes(rows), int64(size))
		require.NoError(t, err)
		require.Equal(t, rows, again)
	})
}
