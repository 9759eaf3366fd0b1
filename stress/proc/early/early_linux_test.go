package early

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// chunk is what the runtime takes its heap from the kernel by; where in it the heap begins is drawn in a program without
// cgo (Go 1.26), and behind it nothing can be prepared.
const chunk = 4 << 20

// TestMain plays a process that heisen starts of itself: it tells how many of the pages after a fresh one are there, and how
// many could be.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && strings.HasSuffix(os.Args[1], "early") {
		at := began
		if at == 0 {
			at = uintptr(unsafe.Pointer(new([page]byte))) &^ (page - 1)
		}
		could := min(256, int(chunk-at%chunk)/page)
		fmt.Println(resident(at, could), could)
		return
	}
	os.Exit(m.Run())
}

// resident counts the pages that are in memory, of so many from an address on (mincore(2)).
func resident(at uintptr, pages int) (n int) {
	there := make([]byte, pages)
	if _, _, errno := syscall.RawSyscall(syscall.SYS_MINCORE, at, uintptr(pages*page), uintptr(unsafe.Pointer(&there[0]))); errno != 0 {
		return -1
	}
	for _, b := range there {
		n += int(b & 1)
	}
	return n
}

func TestItsOwnProcessesHaveTheirMemoryAtOnce(t *testing.T) {
	count := func(word string) (there, could int) {
		out, err := exec.Command(os.Args[0], word).Output()
		require.NoError(t, err)
		_, err = fmt.Sscan(string(out), &there, &could)
		require.NoError(t, err, string(out))
		return there, could
	}
	for range 20 {
		there, could := count("__early")
		require.Equal(t, could, there)
	}
	missing := 0
	for range 20 {
		there, could := count("early")
		missing += could - there
	}
	require.Positive(t, missing, "any other process has them without being prepared")
}

func TestMarked(t *testing.T) {
	require.True(t, marked([]byte("heisen\x00__trace\x00plan\x00")))
	for _, line := range []string{"", "heisen", "heisen\x00", "heisen\x00hunt\x00__trace\x00", "__trace\x00x\x00", "heisen\x00_"} {
		require.False(t, marked([]byte(line)), "%q", line)
	}
}
