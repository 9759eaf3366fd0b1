package journal

import (
	"testing"

	"golang.org/x/sys/unix"
)

func withUmask(t *testing.T, mask int, do func()) {
	t.Helper()
	old := unix.Umask(mask)
	defer unix.Umask(old)
	do()
}
