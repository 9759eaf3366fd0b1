package planted

import (
	"crypto/rand"
	"fmt"
	"io"
	"time"
)

const (
	// slowRounds is the work of an ordinary run, slowFactor times as much that of a slow one.
	slowRounds = 1 << 21
	slowFactor = 20
	// slowShare is how many times the first piece of work all of it may take.
	slowShare = 5
)

// slow fails through its own slowness: one time in ten it does twenty times the work and takes longer than
// its limit. Both are measured in the CPU time of this process, so that waiting for the machine cannot make
// it fail; and the limit is set from what an ordinary piece of the work takes here, so that no machine is too slow.
func slow(out io.Writer) int { return crawl(out, rand.Reader, cpuTime) }

// crawl takes the CPU clock (time used by this process so far) as an argument.
func crawl(out io.Writer, random io.Reader, clock func() (time.Duration, error)) int {
	fmt.Fprintln(out, "=== RUN   TestSortIsQuick")
	began := time.Now()
	extra, err := draw(random)
	if err != nil {
		return broken(out, err)
	}
	start, err := clock()
	if err != nil {
		return broken(out, err)
	}
	state := work(1, slowRounds)
	first, err := clock()
	if err != nil {
		return broken(out, err)
	}
	if extra {
		state = work(state, (slowFactor-1)*slowRounds)
	}
	end, err := clock()
	if err != nil {
		return broken(out, err)
	}
	fmt.Fprintf(out, "sorted, checksum %016x\n", state)
	if took, limit := end-start, slowShare*(first-start); took > limit {
		return failed(out, "TestSortIsQuick", time.Since(began),
			fmt.Sprintf("sort_test.go:33: sorting took %.1f ms of CPU time, at most %.1f ms were expected", milliseconds(took), milliseconds(limit)))
	}
	return passed(out, "TestSortIsQuick", time.Since(began))
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// work computes. Each round depends on the one before, and the result is printed, so none can be left out.
func work(state uint64, rounds int) uint64 {
	for range rounds {
		state ^= state << 13
		state ^= state >> 7
		state ^= state << 17
	}
	return state
}
