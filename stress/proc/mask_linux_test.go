package proc

import (
	"os"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"heisen/stress/run"
)

// TestBlockedSignals runs attempts from a thread that has SIGUSR1 blocked, as all have where heisen was started so.
// No test may inherit that, whichever thread forks it. The control takes heisen's eye off it.
func TestBlockedSignals(t *testing.T) {
	s := open(t, testConfig(t, "/bin/grep", "SigBlk", "/proc/self/status")) // a shell clears its mask
	for _, masked := range []bool{true, false} {
		s.masked = masked
		want := "SigBlk:\t0000000000000000\n"
		if !masked {
			want = "SigBlk:\t0000000000000200\n" // bit n-1 is signal n
		}
		require.Equal(t, want, text(runBlocked(t, s, unix.SIGUSR1)))
	}
}

// runBlocked runs one attempt from a thread, not the main one, that has a signal blocked and ends with it.
func runBlocked(t *testing.T, s *Supervisor, sig unix.Signal) run.Result {
	t.Helper()
	result := make(chan run.Result)
	var begin func()
	begin = func() {
		runtime.LockOSThread()
		if unix.Gettid() == os.Getpid() {
			defer runtime.UnlockOSThread()
			begun := make(chan struct{})
			go func() {
				runtime.LockOSThread() // a new thread: the main one is taken
				close(begun)
				begin()
			}()
			<-begun
			return
		}
		set := unix.Sigset_t{}
		set.Val[0] = 1 << (sig - 1)
		if err := unix.PthreadSigmask(unix.SIG_SETMASK, &set, nil); err != nil {
			panic(err)
		}
		result <- s.Run(attempt(1), nil)
	}
	go begin()
	return <-result
}
