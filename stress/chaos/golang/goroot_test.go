package golang

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// below gives a builder whose GOROOT is below its GOMODCACHE, as where GOTOOLCHAIN has downloaded it.
func below(t *testing.T) *builder {
	t.Helper()
	b := &builder{Config: Config{Cache: t.TempDir(), Environ: os.Environ()}, cmd: goCommand(t, "test", "./a"), dir: project(t)}
	require.NoError(t, b.probe(t.Context()))
	b.Environ = append(b.Environ, "GOMODCACHE="+filepath.Dir(b.tool.GOROOT))
	require.NoError(t, b.probe(t.Context()))
	return b
}

// prepares asks go what it would do with a replaced file of the runtime, without doing it.
func (b *builder) prepares(t *testing.T) error {
	t.Helper()
	name := filepath.Join(b.tool.GOROOT, "src", "runtime", "proc.go")
	text, err := json.Marshal(map[string]any{"Replace": map[string]string{name: name}})
	require.NoError(t, err)
	overlay := filepath.Join(t.TempDir(), "overlay.json")
	require.NoError(t, os.WriteFile(overlay, text, 0o600))
	_, err = b.goCommand(t.Context(), "build", "-n", "-overlay="+overlay, "-o", os.DevNull, "./prog")
	return err
}

func TestDownloadedToolchainIsReplaceable(t *testing.T) {
	b := below(t)
	assert.ErrorContains(t, b.prepares(t), "must not be replaced")
	other, err := b.replaceable()
	require.NoError(t, err)
	assert.NoError(t, other.prepares(t))
	assert.NotEqual(t, b.tool.GOROOT, other.tool.GOROOT)
	again, err := b.replaceable()
	require.NoError(t, err, "the link is there already")
	assert.Equal(t, other.tool.GOROOT, again.tool.GOROOT)
}

func TestInstalledToolchainKeepsItsName(t *testing.T) {
	b := below(t)
	b.tool.GOMODCACHE = filepath.Join(t.TempDir(), "mod")
	same, err := b.replaceable()
	require.NoError(t, err)
	assert.Same(t, b, same)
}
