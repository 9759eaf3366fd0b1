package bundle

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFault46OneFlippedByteIsFoundAndNamed(t *testing.T) {
	dir, _ := written(t)
	b := opened(t, dir)
	for _, f := range b.Manifest.Files {
		name := filepath.Join(dir, f.Path)
		whole, err := os.ReadFile(name)
		require.NoError(t, err)
		for _, at := range []int{0, len(whole) / 2, len(whole) - 1} {
			changed := append([]byte{}, whole...)
			changed[at] ^= 1
			require.NoError(t, os.WriteFile(name, changed, 0o600))
			err := b.Verify()
			require.ErrorIs(t, err, ErrDamaged)
			require.ErrorContains(t, err, `"`+f.Path+`" was changed`)
			_, err = b.ReadFile(f.Path)
			require.ErrorIs(t, err, ErrDamaged, "changed content was handed out")
		}
		require.NoError(t, os.WriteFile(name, whole, 0o600))
		require.NoError(t, b.Verify())
	}
}

func TestAChangedManifestHasAnotherHash(t *testing.T) {
	dir, ref := written(t)
	edit(t, dir, func(m map[string]any) { m["campaign"] = "other" })
	require.NotEqual(t, ref.ManifestHash, opened(t, dir).Hash)
}

// edit changes the manifest as a forger would.
func edit(t *testing.T, dir string, change func(m map[string]any)) {
	t.Helper()
	name := filepath.Join(dir, ManifestFile)
	data, err := os.ReadFile(name)
	require.NoError(t, err)
	var m map[string]any
	require.NoError(t, json.Unmarshal(data, &m))
	change(m)
	data, err = json.Marshal(m)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(name, data, 0o600))
}

// addFile lists one more file, described by fields.
func addFile(fields map[string]any) func(m map[string]any) {
	full := map[string]any{"size": 1, "sha256": strings.Repeat("0", 64)}
	for k, v := range fields {
		full[k] = v
	}
	return func(m map[string]any) { m["files"] = append(m["files"].([]any), full) }
}

func TestOpenRefusesWhatNoHeisenWrote(t *testing.T) {
	at := func(dir, name string) string { return filepath.Join(dir, name) }
	replace := func(t *testing.T, dir, name string, plant func(path string) error) {
		require.NoError(t, os.Remove(at(dir, name)))
		require.NoError(t, plant(at(dir, name)))
	}
	listed := func(fields map[string]any) func(*testing.T, string) {
		return func(t *testing.T, dir string) { edit(t, dir, addFile(fields)) }
	}
	secret := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(secret, []byte("canary"), 0o600))
	cases := map[string]struct {
		tamper func(t *testing.T, dir string)
		says   string
	}{
		"fault 42: traversal":     {listed(map[string]any{"path": "../../secret"}), "lists the path"},
		"fault 42: inner dots":    {listed(map[string]any{"path": "tmp/../../x"}), "lists the path"},
		"fault 42: absolute":      {listed(map[string]any{"path": "/etc/passwd"}), "lists the path"},
		"fault 42: itself":        {listed(map[string]any{"path": ManifestFile}), "lists the path"},
		"fault 42: NUL":           {listed(map[string]any{"path": "a\x00b"}), "lists the path"},
		"fault 42: escape":        {listed(map[string]any{"path": "tmp/\x1b]52"}), "lists the path"},
		"fault 42: 300 bytes":     {listed(map[string]any{"path": strings.Repeat("n", 300)}), "lists the path"},
		"fault 42: duplicate":     {listed(map[string]any{"path": OutputFile}), "twice"},
		"fault 44: negative size": {listed(map[string]any{"path": "x", "size": -1}), "-1 bytes"},
		"fault 44: huge size":     {listed(map[string]any{"path": "x", "size": int64(1) << 62}), "bytes"},
		"no hash":                 {listed(map[string]any{"path": "x", "sha256": ""}), "no hash"},
		"missing file":            {listed(map[string]any{"path": "x"}), `"x" is in manifest.json and not in the folder`},
		"listed folder":           {listed(map[string]any{"path": "tmp"}), "does not match"},
		"longer file": {func(t *testing.T, dir string) {
			require.NoError(t, os.Truncate(at(dir, OutputFile), 1<<40))
		}, `"output.log" has`},
		"unlisted file": {func(t *testing.T, dir string) {
			require.NoError(t, os.WriteFile(at(dir, ".gdbinit"), []byte("shell id"), 0o600))
		}, `".gdbinit" is not in`},
		"fault 43: link out": {func(t *testing.T, dir string) {
			replace(t, dir, OutputFile, func(p string) error { return os.Symlink(secret, p) })
		}, "a symbolic link"},
		"fault 43: link inside": {func(t *testing.T, dir string) {
			replace(t, dir, OutputFile, func(p string) error { return os.Symlink(ScriptFile, p) })
		}, "a symbolic link"},
		"fault 43: linked folder": {func(t *testing.T, dir string) {
			require.NoError(t, os.Symlink("/", at(dir, "tmp/root")))
		}, "a symbolic link"},
		"fault 42: hard link": {func(t *testing.T, dir string) {
			replace(t, dir, OutputFile, func(p string) error { return os.Link(secret, p) })
		}, "hard links"},
		"fault 42: pipe": {func(t *testing.T, dir string) {
			replace(t, dir, OutputFile, func(p string) error { return syscall.Mkfifo(p, 0o600) })
		}, "a named pipe"},
		"manifest is a pipe": {func(t *testing.T, dir string) {
			replace(t, dir, ManifestFile, func(p string) error { return syscall.Mkfifo(p, 0o600) })
		}, "a named pipe"},
		"manifest is a link": {func(t *testing.T, dir string) {
			replace(t, dir, ManifestFile, func(p string) error { return os.Symlink(secret, p) })
		}, "a symbolic link"},
		"fault 44: manifest too large": {func(t *testing.T, dir string) {
			require.NoError(t, os.Truncate(at(dir, ManifestFile), MaxManifest+1))
		}, "more than"},
		"manifest is no JSON": {func(t *testing.T, dir string) {
			require.NoError(t, os.WriteFile(at(dir, ManifestFile), []byte("{"), 0o600))
		}, ManifestFile},
		"no schema": {func(t *testing.T, dir string) {
			edit(t, dir, func(m map[string]any) { delete(m, "schema") })
		}, "no schema version"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			dir, _ := written(t)
			c.tamper(t, dir)
			_, err := Open(dir)
			require.ErrorIs(t, err, ErrDamaged)
			require.ErrorContains(t, err, c.says)
			require.NotContains(t, err.Error(), "canary")
		})
	}
}

func TestFault40ANewerSchemaIsRefusedByName(t *testing.T) {
	dir, _ := written(t)
	edit(t, dir, func(m map[string]any) { m["schema"] = Schema + 1; m["attempt"] = "of another shape" })
	_, err := Open(dir)
	require.ErrorIs(t, err, ErrNewer)
	require.NotErrorIs(t, err, ErrDamaged)

	edit(t, dir, func(m map[string]any) { m["schema"] = Schema })
	_, err = Open(dir)
	require.ErrorIs(t, err, ErrDamaged, "control: not told by its number, what is newer would be called damaged")
}

func TestTheSchemaHasRoomToGrow(t *testing.T) {
	dir, _ := written(t)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "signals.bin"), []byte("x"), 0o600))
	edit(t, dir, func(m map[string]any) {
		m["plan"] = map[string]any{"later": true}
		addFile(map[string]any{
			"path": "signals.bin", "sha256": "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",
		})(m)
	})
	require.NoError(t, opened(t, dir).Verify())
}

func TestOpenOfWhatIsNoBundle(t *testing.T) {
	dir := t.TempDir()
	_, err := Open(dir)
	require.ErrorContains(t, err, "manifest.json is missing: name the folder of one bundle")
	fifo := filepath.Join(dir, "fifo")
	require.NoError(t, syscall.Mkfifo(fifo, 0o600))
	_, err = Open(fifo)
	require.ErrorContains(t, err, "not a folder")
	_, err = Open(filepath.Join(dir, "gone"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

// A file swapped for a link after Open is not followed by later reads.
func TestFault43SwapAfterOpen(t *testing.T) {
	dir, _ := written(t)
	b := opened(t, dir)
	secret := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(secret, []byte("canary"), 0o600))
	require.NoError(t, os.Remove(filepath.Join(dir, OutputFile)))
	require.NoError(t, os.Symlink(secret, filepath.Join(dir, OutputFile)))
	_, err := b.Output()
	require.ErrorIs(t, err, ErrDamaged)
	require.ErrorIs(t, b.Verify(), ErrDamaged)
}
