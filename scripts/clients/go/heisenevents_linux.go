// Package heisenevents tells heisen what a test does, in its own words:
//
//	heisenevents.Mark("created", "worker", id)
//
// One call is one line, appended with one write(2) to the file that the environment's HEISEN_EVENTS names.
// Without that variable, or where the file is gone or no regular file, nothing happens. From many goroutines
// and processes at once no event is lost or mixed with another.
//
// An event has no thread: a goroutine runs now on this thread and now on that one, which tells nothing about
// the test. Where it matters who it was, make it a field.
//
// Copy this file into a package of that name; it needs nothing but the standard library. Where the tests are
// built for other systems as well, copy heisenevents_other.go too.
package heisenevents

import (
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

const (
	longest        = 4096 // of a line, with its newline
	clockMonotonic = 1    // CLOCK_MONOTONIC, clock_gettime(2)
)

// channel is the file, and what makes Go's clock the kernel's.
type channel struct {
	fd    int
	st    syscall.Stat_t
	pid   int64
	began time.Time
	mono  int64 // CLOCK_MONOTONIC at began, in nanoseconds
}

// open gives nil where nobody listens.
var open = sync.OnceValue(func() *channel {
	path := os.Getenv("HEISEN_EVENTS")
	if path == "" || path[0] != '/' {
		return nil
	}
	// O_NONBLOCK: a FIFO in its place would make open wait for a reader.
	fd, err := syscall.Open(path, syscall.O_WRONLY|syscall.O_APPEND|syscall.O_CLOEXEC|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil
	}
	c := &channel{fd: fd, pid: int64(os.Getpid())}
	var now syscall.Timespec
	_, _, errno := syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, clockMonotonic, uintptr(unsafe.Pointer(&now)), 0)
	if err := syscall.Fstat(fd, &c.st); err != nil || c.st.Mode&syscall.S_IFMT != syscall.S_IFREG || errno != 0 {
		_ = syscall.Close(fd)
		return nil
	}
	c.began, c.mono = time.Now(), now.Nano()
	return c
})

// Mark tells one event: its name, and what it was done with or to. What does not fit into one line is cut.
func Mark(name string, fields ...string) {
	c := open()
	if c == nil {
		return
	}
	var room [256]byte
	line := append(room[:0], '@')
	line = strconv.AppendInt(line, c.mono+int64(time.Since(c.began)), 10)
	line = append(line, ':')
	line = strconv.AppendInt(line, c.pid, 10)
	line = append(line, ':')
	line = appendWord(line, name)
	for _, f := range fields {
		line = appendWord(line, f)
	}
	line = append(line, '\n')
	// Whoever closes descriptors by number may have put another file under this one by now.
	var st syscall.Stat_t
	if syscall.Fstat(c.fd, &st) == nil && st.Dev == c.st.Dev && st.Ino == c.st.Ino {
		_, _ = syscall.Write(c.fd, line) // nobody can be told: the test goes on as if it had not been asked
	}
}

// appendWord adds a blank and a word, as far as there is room with the newline.
func appendWord(line []byte, word string) []byte {
	const hex = "0123456789ABCDEF"
	if len(line)+4 >= longest {
		return line
	}
	line = append(line, ' ')
	if word == "" {
		return append(line, "%."...)
	}
	for i := 0; i < len(word) && len(line)+3 < longest; i++ {
		if b := word[i]; b > ' ' && b != 0x7f && b != '%' && b != '@' {
			line = append(line, b)
		} else {
			line = append(line, '%', hex[b>>4], hex[b&15])
		}
	}
	return line
}
