package early

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// TestMain plays a process that heisen starts of itself: it tells how many of the pages after a fresh one are there.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && strings.HasSuffix(os.Args[1], "early") {
		at := began
		if at == 0 {
			at = uintptr(unsafe.Pointer(new([page]byte))) &^ (page - 1)
		}
		fmt.Println(resident(at))
		return
	}
	os.Exit(m.Run())
}

// resident counts the pages of the next 256 that are in memory (mincore(2)).
func resident(at uintptr) (n int) {
	var there [256]byte
	if _, _, errno := syscall.RawSyscall(syscall.SYS_MINCORE, at, uintptr(len(there)*page), uintptr(unsafe.Pointer(&there[0]))); errno != 0 {
		return -1
	}
	for _, b := range there {
		n += int(b & 1)
	}
	return n
}

func TestItsOwnProcessesHaveTheirMemoryAtOnce(t *testing.T) {
	count := func(word string) int {
		out, err := exec.Command(os.Args[0], word).Output()
		require.NoError(t, err)
		n, err := strconv.Atoi(strings.TrimSpace(string(out)))
		require.NoError(t, err)
		return n
	}
	mine, others := count("__early"), count("early")
	if mine < others || mine <= 0 {
		t.Fatalf("%d pages there, %d in any other process", mine, others)
	}
	require.Equal(t, 256, mine)
	require.Less(t, others, 256)
}

func TestMarked(t *testing.T) {
	require.True(t, marked([]byte("heisen\x00__trace\x00plan\x00")))
	for _, line := range []string{"", "heisen", "heisen\x00", "heisen\x00hunt\x00__trace\x00", "__trace\x00x\x00", "heisen\x00_"} {
		require.False(t, marked([]byte(line)), "%q", line)
	}
}
