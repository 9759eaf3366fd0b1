package sched

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ring is one CPU's buffer, shared with the kernel, and the anchor event it belongs to.
type ring struct {
	cpu  int
	fd   int
	mem  []byte // one page of header, then data
	data []byte
}

// events are the properties of every event: it counts nothing, and makes records of switches, forks,
// exits and names. Excluding the kernel is what perf_event_paranoid 2 demands; switches are recorded all
// the same. CLOCK_MONOTONIC is the clock below Go's.
func attributes(bits uint64, watermark uint32) *unix.PerfEventAttr {
	return &unix.PerfEventAttr{
		Type: unix.PERF_TYPE_SOFTWARE, Config: unix.PERF_COUNT_SW_DUMMY,
		Size:        uint32(unsafe.Sizeof(unix.PerfEventAttr{})),
		Sample_type: unix.PERF_SAMPLE_TID | unix.PERF_SAMPLE_TIME,
		Bits: bits | unix.PerfBitExcludeKernel | unix.PerfBitExcludeHv | unix.PerfBitSampleIDAll |
			unix.PerfBitUseClockID,
		Clockid: unix.CLOCK_MONOTONIC,
		Wakeup:  watermark,
	}
}

// openRings makes a ring for every CPU, all of one size: what is asked for, or halves of it until the
// kernel gives them. Below the smallest there is no use in them.
func openRings(cpus []int, size int) ([]*ring, error) {
	page := os.Getpagesize()
	pages := 1
	for pages*2*page <= size {
		pages *= 2
	}
	for ; ; pages /= 2 {
		var rings []*ring
		var err error
		for _, cpu := range cpus {
			var one *ring
			if one, err = openRing(cpu, pages*page); err != nil {
				break
			}
			rings = append(rings, one)
		}
		if err == nil {
			return rings, nil
		}
		err = errors.Join(err, closeRings(rings))
		if !errors.Is(err, errNoRoom) || pages*page/2 < minRing {
			return nil, err
		}
	}
}

// errNoRoom is what the kernel means when it answers EPERM to mmap: the memory that the user may lock is
// used up. Of perf_event_open the same answer means a filter.
var errNoRoom = errors.New("no memory for a ring")

// openRing makes a CPU's anchor on the calling thread, switched off: it is there to own the ring. Poll on
// it hangs up when that thread ends (perf_poll in kernel/events/core.c), so the reader's own is the one.
func openRing(cpu, size int) (*ring, error) {
	attr := attributes(unix.PerfBitDisabled|unix.PerfBitWatermark, uint32(size/8))
	fd, err := unix.PerfEventOpen(attr, 0, cpu, -1, unix.PERF_FLAG_FD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("open event on CPU %d: %w", cpu, err)
	}
	page := os.Getpagesize()
	mem, err := unix.Mmap(fd, 0, page+size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	switch {
	case err == unix.EPERM || err == unix.ENOMEM:
		err = fmt.Errorf("map ring of CPU %d: %w: %w", cpu, errNoRoom, err)
	case err != nil:
		err = fmt.Errorf("map ring of CPU %d: %w", cpu, err)
	default:
		return &ring{cpu: cpu, fd: fd, mem: mem, data: mem[page:]}, nil
	}
	return nil, errors.Join(err, unix.Close(fd))
}

func closeRings(rings []*ring) error {
	var errs []error
	for _, ring := range rings {
		errs = append(errs, ring.close())
	}
	return errors.Join(errs...)
}

// minRing is the smallest ring of any use, in bytes: 680 switches.
const minRing = 16 << 10

// read appends what is new to buf and gives the room back to the kernel. The order is the one the kernel
// asks for: head is read before the data, tail is written after them (Go's atomics are both fences).
func (r *ring) read(buf []byte) ([]byte, bool) {
	meta := (*unix.PerfEventMmapPage)(unsafe.Pointer(&r.mem[0]))
	head, tail := atomic.LoadUint64(&meta.Data_head), meta.Data_tail
	buf, ok := unroll(buf, r.data, tail, head)
	atomic.StoreUint64(&meta.Data_tail, head)
	return buf, ok
}

func (r *ring) close() error {
	return errors.Join(unix.Munmap(r.mem), unix.Close(r.fd))
}

// follow makes an event on the calling thread for one CPU that every task created from it inherits, and
// has it write into that CPU's ring.
func (r *ring) follow() (int, error) {
	bits := uint64(unix.PerfBitInherit | unix.PerfBitContextSwitch | unix.PerfBitTask | unix.PerfBitComm)
	fd, err := unix.PerfEventOpen(attributes(bits, 0), 0, r.cpu, -1, unix.PERF_FLAG_FD_CLOEXEC)
	if err != nil {
		return -1, fmt.Errorf("open event on CPU %d: %w", r.cpu, err)
	}
	if err := unix.IoctlSetInt(fd, unix.PERF_EVENT_IOC_SET_OUTPUT, r.fd); err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("redirect event to ring of CPU %d: %w", r.cpu, err)
	}
	return fd, nil
}
