package strain

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// The kinds of hog, as the first argument after HogCommand.
const (
	hogCPU    = "cpu"
	hogMemory = "mem"
	hogIO     = "io"
)

const (
	// memoryPeriod is how often a memory hog writes to every page: often enough that the kernel does not take
	// them for cold, seldom enough to use little CPU.
	memoryPeriod = time.Second
	// ioFileBytes bounds an io hog's file, ioBlockBytes is what it writes between two flushes.
	ioFileBytes  = 64 << 20
	ioBlockBytes = 1 << 20
)

// RunHog is the rest of the program after HogCommand: it loads the machine until its standard input ends. The
// arguments are the kind of hog and its size (mem) or folder (io). It prints one line: that it is at work, or
// why it cannot be.
func RunHog(args []string) error {
	runtime.GOMAXPROCS(1)
	err := runHog(args, untilEOF(os.Stdin), func() { fmt.Print(readyLine) })
	if err != nil {
		fmt.Println(err)
	}
	return err
}

// untilEOF closes the channel when the pipe's other end is gone.
func untilEOF(in io.Reader) <-chan struct{} {
	over := make(chan struct{})
	go func() {
		defer close(over)
		_, _ = io.Copy(io.Discard, in)
	}()
	return over
}

func runHog(args []string, over <-chan struct{}, ready func()) error {
	kind, value := "", ""
	if len(args) > 0 {
		kind = args[0]
	}
	if len(args) > 1 {
		value = args[1]
	}
	preferAsVictim()
	switch kind {
	case hogCPU:
		ready()
		compute(over)
		return nil
	case hogMemory:
		return hold(value, over, ready)
	case hogIO:
		return churn(value, over, ready)
	}
	return errors.New("load the machine: want cpu, mem or io: this is not meant to be called by hand")
}

// preferAsVictim has the kernel kill a hog before heisen, a test or the user's programs when memory is out
// (proc_pid_oom_score_adj(5)). Raising the score needs no rights.
func preferAsVictim() {
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte("1000"), 0)
}

const (
	// breathEvery and breathLong are when all cpu hogs of a machine stand still together: the first part of each half second.
	breathEvery = 500 * time.Millisecond
	breathLong  = 20 * time.Millisecond
)

// breath is how long a hog is to stand still from now on, 0 for not at all. A kernel (Linux 6.18) was seen to keep a process from
// running for half an hour beside three hogs on its CPU, in the middle of execve(2) and so with a lock that ps(1) waits for; as soon as the hogs
// were stopped it went on. So there is a moment at which none of them wants the CPU.
func breath(now time.Time) time.Duration {
	into := time.Duration(now.UnixNano()) % breathEvery
	return max(breathLong-into, 0)
}

// compute uses one CPU. Each round depends on the one before and the last is kept, so no compiler may leave
// any out.
func compute(over <-chan struct{}) {
	state := uint64(os.Getpid())<<1 | 1
	for {
		select {
		case <-over:
			runtime.KeepAlive(state)
			return
		default:
		}
		time.Sleep(breath(time.Now()))
		for range 1 << 18 {
			state ^= state << 13
			state ^= state >> 7
			state ^= state << 17
		}
	}
}

// hold keeps memory in use: anonymous pages of its own, each with other content than before.
func hold(size string, over <-chan struct{}, ready func()) error {
	n, err := strconv.Atoi(size)
	if err != nil || n < 1 {
		return fmt.Errorf("hold memory: size %q", size)
	}
	memory, err := unix.Mmap(-1, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return fmt.Errorf("hold %s of memory: %w: ask for less", sizeText(int64(n)), err)
	}
	defer unix.Munmap(memory)
	touch(memory)
	ready()
	ticker := time.NewTicker(memoryPeriod)
	defer ticker.Stop()
	for {
		select {
		case <-over:
			return nil
		case <-ticker.C:
			touch(memory)
		}
	}
}

func touch(memory []byte) {
	page := os.Getpagesize()
	for i := 0; i < len(memory); i += page {
		memory[i]++
	}
}

// churn writes to a disk, waits until it is there, and reads it back from the disk.
func churn(dir string, over <-chan struct{}, ready func()) error {
	file, err := nameless(dir)
	if err != nil {
		return fmt.Errorf("load the disk of %s: %w: choose a folder that can be written", dir, err)
	}
	defer file.Close()
	block := make([]byte, ioBlockBytes)
	for i, first := int64(0), true; ; i, first = (i+1)%(ioFileBytes/ioBlockBytes), false {
		if err := turn(file, block, i*ioBlockBytes); err != nil {
			return fmt.Errorf("load the disk of %s: %w: free some space", dir, err)
		}
		if first {
			ready()
		}
		select {
		case <-over:
			return nil
		default:
		}
	}
}

// turn writes one block, flushes it and reads it again.
func turn(file *os.File, block []byte, at int64) error {
	touch(block) // never the same twice
	if _, err := file.WriteAt(block, at); err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	// Without this the page cache would answer. Only pages that are on the disk are dropped, hence the order.
	if err := unix.Fadvise(int(file.Fd()), at, int64(len(block)), unix.FADV_DONTNEED); err != nil {
		return err
	}
	_, err := file.ReadAt(block, at)
	return err
}

// nameless makes a file without a name, which is gone with its process however that dies. Where the file
// system has none (O_TMPFILE, open(2)), the name is taken away at once.
func nameless(dir string) (*os.File, error) {
	fd, err := unix.Open(dir, unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0o600)
	if err == nil {
		return os.NewFile(uintptr(fd), filepath.Join(dir, "(no name)")), nil
	}
	file, err := os.CreateTemp(dir, "heisen-load-")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(file.Name()); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}
