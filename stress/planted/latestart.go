package planted

import (
	"fmt"
	"io"
	"runtime"
	"time"
)

// lateLimit is how late the worker's first moment on a CPU may come: the author of such a test never saw
// more on an idle machine.
const lateLimit = 5 * time.Millisecond

// lateStart has the shape of CPython's bpo-37224: a test starts a thread and takes for granted that it
// runs at once. It fails if, and only if, the new thread waits more than lateLimit for a CPU.
func lateStart(out io.Writer) int {
	fmt.Fprintln(out, "=== RUN   TestWorkerIsRunning")
	// The goroutine below needs a thread of its own only if this one is taken.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	began := make(chan time.Time, 1)
	created := time.Now()
	go func() {
		runtime.LockOSThread() // and is the only one on it
		began <- time.Now()
	}()
	fmt.Fprintln(out, "worker created")
	late := (<-began).Sub(created)
	if late > lateLimit {
		fmt.Fprintf(out, "--- FAIL: TestWorkerIsRunning (%.2fs)\n", time.Since(created).Seconds())
		fmt.Fprintf(out, "    worker_test.go:21: worker is not running: it began %.1f ms after it was created, %v were expected at most\n",
			float64(late)/float64(time.Millisecond), lateLimit)
		fmt.Fprintln(out, "FAIL")
		return 1
	}
	fmt.Fprintf(out, "--- PASS: TestWorkerIsRunning (%.2fs)\n", time.Since(created).Seconds())
	return 0
}
