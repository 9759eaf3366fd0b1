package starve

import (
	"encoding/binary"
	"fmt"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// handle is an open file or folder of a kernel file system. It stays bound to the process or thread it was
// opened for: once that is gone reading fails, also when its number is in use again.
type handle int

const noHandle handle = -1

func openFile(path string) (handle, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return noHandle, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return handle(fd), nil
}

// openIn opens a file below an open folder.
func openIn(folder handle, name string) (handle, error) {
	fd, err := unix.Openat(int(folder), name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	return handle(fd), err
}

func (h handle) close() {
	if h != noHandle {
		_ = unix.Close(int(h))
	}
}

// read reads the file anew from its beginning, at most len(buf) bytes.
func (h handle) read(buf []byte) ([]byte, error) {
	n, err := unix.Pread(int(h), buf, 0)
	if err != nil {
		return nil, err
	}
	return buf[:n], nil
}

// readAll is read with a buffer that grows as far as the file needs.
func (h handle) readAll(buf *[]byte) ([]byte, error) {
	for n := 0; ; {
		if n == len(*buf) {
			*buf = append(*buf, make([]byte, max(4096, len(*buf)))...)
		}
		more, err := unix.Pread(int(h), (*buf)[n:], int64(n))
		if err != nil {
			return nil, err
		}
		if more == 0 {
			return (*buf)[:n], nil
		}
		n += more
	}
}

// threads is how many threads a folder /proc/PID/task holds, without reading it: the kernel counts them
// in the link count (fs/proc/base.c, proc_task_getattr). It is -1 where the link count says nothing.
func (h handle) threads() int {
	var st unix.Stat_t
	if unix.Fstat(int(h), &st) != nil || st.Nlink < 2 {
		return -1
	}
	return int(st.Nlink) - 2
}

// size is the file's size; for /proc/self/fd the number of open descriptors since Linux 6.2.
func (h handle) size() int64 {
	var st unix.Stat_t
	if unix.Fstat(int(h), &st) != nil {
		return 0
	}
	return st.Size
}

// sizeOf is size of a file below an open folder, which stays closed; 0 where it cannot be had.
func (h handle) sizeOf(name string) int64 {
	var st unix.Stat_t
	if unix.Fstatat(int(h), name, &st, 0) != nil {
		return 0
	}
	return st.Size
}

// eachEntry calls use with every name in the folder that is a number. It decodes struct linux_dirent64
// (getdents64(2)) itself: the library's way makes a string of every name.
func (h handle) eachEntry(buf []byte, use func(int)) error {
	if _, err := unix.Seek(int(h), 0, unix.SEEK_SET); err != nil {
		return err
	}
	for {
		n, err := unix.Getdents(int(h), buf)
		if err != nil || n <= 0 {
			return err
		}
		for rest := buf[:n]; len(rest) > direntName; {
			length := int(binary.NativeEndian.Uint16(rest[direntLength:]))
			if length <= direntName || length > len(rest) {
				return fmt.Errorf("read folder: entry of %d bytes", length)
			}
			if id, after, ok := leadingNumber(rest[direntName:length]); ok && len(after) > 0 && after[0] == 0 {
				use(int(id))
			}
			rest = rest[length:]
		}
	}
}

// Places in struct linux_dirent64: d_ino, d_off, d_reclen, d_type, d_name.
const (
	direntLength = 16
	direntName   = 19
)

// threadCPU is the CPU time of the calling thread.
func threadCPU() time.Duration {
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts) != nil {
		return 0
	}
	return time.Duration(ts.Nano())
}

// usageOfZombie reads the resource usage of a child that has ended, its waited-for children included,
// and leaves it unreaped: waitid(2) with WNOWAIT fills in its fifth argument all the same.
func usageOfZombie(pid int) (usage, error) {
	var ru unix.Rusage
	var info unix.Siginfo
	if err := unix.Waitid(unix.P_PID, pid, &info, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, &ru); err != nil {
		return usage{}, fmt.Errorf("read resource usage: %w", err)
	}
	if info.Signo != int32(unix.SIGCHLD) {
		return usage{}, fmt.Errorf("read resource usage: process %d has not ended", pid)
	}
	return usage{
		minorFaults: ru.Minflt, majorFaults: ru.Majflt, voluntary: ru.Nvcsw, involuntary: ru.Nivcsw,
		cpu: time.Duration(ru.Utime.Nano() + ru.Stime.Nano()),
		bad: info.Code != cldExited || *(*int32)(unsafe.Add(unsafe.Pointer(&info), siStatus)) != 0,
	}, nil
}

// Of siginfo_t (include/uapi/asm-generic/siginfo.h): si_code of a child that called exit, and where si_status
// is on 64-bit machines, which the library does not name.
const (
	cldExited = 1
	siStatus  = 24
)

// descriptorLimit is the soft limit on open files.
func descriptorLimit() int {
	var lim unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &lim) != nil {
		return 1024
	}
	return int(min(lim.Cur, 1<<20))
}
