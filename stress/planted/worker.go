package planted

import (
	"fmt"
	"io"
	"runtime"
	"time"
)

// startTime is how long the worker test sleeps before it looks whether its worker has begun.
const startTime = 20 * time.Millisecond

// started is a worker that was made: whether it has begun, and waiting until it has.
type started interface {
	begun() bool
	join()
}

// worker has the shape of CPython's bpo-37224: a test makes a thread, sleeps for a moment and takes for granted that
// the thread has begun. Which of the two comes first decides it.
func worker(out io.Writer) int {
	return look(out, startThread, func(started) { pause(startTime) })
}

// workerFixed is the same with its mistake mended: it waits for what it takes for granted.
func workerFixed(out io.Writer) int { return look(out, startThread, started.join) }

func startThread() (started, error) { return makeThread() }

func look(out io.Writer, start func() (started, error), wait func(started)) int {
	runtime.LockOSThread() // the one thread that a record of threads shows making the worker and sleeping
	defer runtime.UnlockOSThread()
	fmt.Fprintln(out, "=== RUN   TestWorkerHasBegun")
	began := time.Now()
	w, err := start()
	if err != nil {
		return broken(out, err)
	}
	wait(w)
	begun := w.begun()
	w.join()
	if !begun {
		return failed(out, "TestWorkerHasBegun", time.Since(began), fmt.Sprintf("worker_test.go:34: %v after it was made the worker has not begun", startTime))
	}
	return passed(out, "TestWorkerHasBegun", time.Since(began))
}
