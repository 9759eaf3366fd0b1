//go:build linux

package ports

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBlocksDoNotOverlap(t *testing.T) {
	a, err := Reserve(1500)
	require.NoError(t, err)
	defer a.Close()
	b, err := Reserve(10)
	require.NoError(t, err)
	defer b.Close()
	require.True(t, b.Base >= a.Base+1500 || b.Base+10 <= a.Base, "%d and %d", a.Base, b.Base)
}

func TestAClosedBlockCanBeHadAgain(t *testing.T) {
	a, err := Reserve(10)
	require.NoError(t, err)
	require.NoError(t, a.Close())
	b, err := Reserve(10)
	require.NoError(t, err)
	defer b.Close()
	require.Equal(t, a.Base, b.Base)
}

func TestWhatCannotBeHadIsRefused(t *testing.T) {
	_, err := Reserve(100000)
	require.ErrorContains(t, err, "smaller -j")
	all, err := Reserve(22 * blockSize)
	if err != nil {
		t.Skip("another heisen holds ports on this machine: " + err.Error())
	}
	defer all.Close()
	_, err = Reserve(1)
	require.ErrorContains(t, err, "other heisens")
}
