package sched

import (
	"errors"
	"time"
)

// ErrBudget is returned where one more attempt or CPU would exceed the Config's bounds. The attempt runs
// on without a record.
var ErrBudget = errors.New("no budget left for the scheduler's record")

// ErrUnavailable is wrapped by every error that means that this machine does not give the record at all.
var ErrUnavailable = errors.New("the scheduler's record is not available")

// errClosed is a Recorder used after Close.
var errClosed = errors.New("recorder is closed")

// Config bounds a Recorder. The zero value of a field is its default.
type Config struct {
	// CPUs are the CPUs recorded, by default those this process may run on (sched_getaffinity(2)), which
	// are then its attempts' too. A thread carries one kernel event per CPU, about 1.2 KiB.
	CPUs []int
	// MaxCPUs is how many CPUs Open agrees to (default 64): every fork copies as many events.
	MaxCPUs int
	// RingBytes is the size of each CPU's ring, by default 4 MiB, or less where 64 MiB do not hold all. It
	// is rounded down to a power of two of pages, and halved until the kernel gives it: without privilege
	// 512 KiB a CPU (perf_event_mlock_kb) and RLIMIT_MEMLOCK for all together.
	RingBytes int
	// MaxAttempts is how many attempts are recorded at once (default 1024).
	MaxAttempts int
	// MaxThreads is how many threads of one attempt are told apart (default 4096).
	MaxThreads int
	// MaxEvents is how many events of one attempt are kept, half from its head and half from its tail
	// (default 65,536, 16 bytes each). What Thread says counts all of them.
	MaxEvents int
	// TotalEvents is how many events are kept in all unfinished attempts together (default 4,194,304).
	TotalEvents int
}

func (c Config) withDefaults() Config {
	set := func(field *int, value int) {
		if *field <= 0 {
			*field = value
		}
	}
	set(&c.MaxCPUs, 64)
	set(&c.RingBytes, min(4<<20, 64<<20/max(len(c.CPUs), 1)))
	set(&c.MaxAttempts, 1024)
	set(&c.MaxThreads, 4096)
	set(&c.MaxEvents, 1<<16)
	set(&c.TotalEvents, 1<<22)
	return c
}

// claimWithin is how long a forked process may wait to be named by Attach. Beyond that it is taken for one
// that nobody will name: its exec failed, or the caller did not want it.
const claimWithin = 30 * time.Second

// Stats are a Recorder's own figures since Open.
type Stats struct {
	// Records is how many the kernel's rings gave; Bytes is their size.
	Records, Bytes uint64
	// Lost is how many the kernel had no room for.
	Lost uint64
	// Strays belonged to no attempt: a followed thread's own, or those of a process nobody named.
	Strays uint64
	// Late came after records of a later time had been dealt with.
	Late uint64
	// Malformed is how many times a ring held what is no record.
	Malformed uint64
	// Passes is how many times the rings were read.
	Passes uint64
	// Live is how many attempts are being recorded now; Unclaimed how many processes wait for Attach.
	Live, Unclaimed int
}
