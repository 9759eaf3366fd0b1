package planted

import (
	"fmt"
	"io"
	"time"
)

// lateLimit is how late the worker's first moment on a CPU may come: the author of such a test never saw
// more on an idle machine.
const lateLimit = 5 * time.Millisecond

// lateStart has the shape of CPython's bpo-37224: a test starts a thread and takes for granted that it
// runs at once. It fails if, and only if, the new thread waits more than lateLimit for a CPU.
func lateStart(out io.Writer) int { return start(out, newThread) }

// start takes what makes the thread and says how late that was: from its creation to its first moment.
func start(out io.Writer, thread func() (time.Duration, error)) int {
	fmt.Fprintln(out, "=== RUN   TestWorkerIsRunning")
	began := time.Now()
	late, err := thread()
	switch {
	case err != nil:
		return broken(out, err)
	case late > lateLimit:
		return failed(out, "TestWorkerIsRunning", time.Since(began), fmt.Sprintf(
			"worker_test.go:21: worker is not running: it began %.1f ms after it was created, %v were expected at most",
			float64(late)/float64(time.Millisecond), lateLimit))
	}
	return passed(out, "TestWorkerIsRunning", time.Since(began))
}
