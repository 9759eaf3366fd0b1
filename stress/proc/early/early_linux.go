package early

import (
	"syscall"
	"unsafe"
)

const (
	page = 4096
	// room is what a process of heisen's own needs before it does its work. It is less than the 4 MiB in which the
	// runtime takes its heap from the kernel; what of it is not there yet is left out.
	room = 3 << 20
	// populateWrite is MADV_POPULATE_WRITE (madvise(2)): Linux 5.14, an error before that, which changes nothing.
	populateWrite = 23
)

// began is the first page that was prepared, 0 for none.
var began uintptr

func init() {
	if !hidden() {
		return
	}
	next := new([page]byte) // where the heap grows from
	began = uintptr(unsafe.Pointer(next)) &^ (page - 1)
	_, _, _ = syscall.RawSyscall(syscall.SYS_MADVISE, began, room, populateWrite)
}

// hidden tells whether the first argument is one by which heisen starts itself: such begin with two underscores. os.Args
// is not there yet.
func hidden() bool {
	fd, err := syscall.Open("/proc/self/cmdline", syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer syscall.Close(fd)
	var line [page]byte
	n, _ := syscall.Read(fd, line[:])
	return marked(line[:max(n, 0)])
}

// marked looks at a command line whose words end with a zero byte.
func marked(line []byte) bool {
	for i := 0; i+2 < len(line); i++ {
		if line[i] == 0 {
			return line[i+1] == '_' && line[i+2] == '_'
		}
	}
	return false
}
