package main

import (
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"

	"heisen/stress/durable"
)

const (
	// extIocShutdown is EXT4_IOC_SHUTDOWN, _IOR('X', 125, __u32) (fs/ext4/ext4.h); xfs has the same number.
	extIocShutdown = 0x8004587d
	// noLogFlush is EXT4_GOING_FLAGS_NOLOGFLUSH: neither data nor the file system's log is flushed first.
	noLogFlush = 2
)

// cutAt returns failpoints that cut the power of the file system at mount when the named point is met for
// the nth time, and then end the process with exitCut: nothing more reaches the disk. Needs CAP_SYS_ADMIN.
//
// The sealer's points are met while records are appended. A sync that is in flight during the ioctl has been
// seen to return success without its data being there after the next mount, which a real power cut, after
// which nobody hears of a success, cannot do: so the appender is held at idle until the power is gone.
func cutAt(mount, point string, nth int64, appending *sync.Mutex) durable.Failpoints {
	var hits atomic.Int64
	return func(name string) error {
		if name != point || hits.Add(1) != nth {
			return nil
		}
		if strings.HasPrefix(name, "journal.seal.") {
			appending.Lock()
		}
		if err := cut(mount); err != nil {
			return err
		}
		os.Exit(exitCut)
		return nil
	}
}

func cut(mount string) error {
	f, err := os.Open(mount)
	if err != nil {
		return err
	}
	defer f.Close()
	flags := uint32(noLogFlush)
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, f.Fd(), extIocShutdown, uintptr(unsafe.Pointer(&flags)))
	if errno != 0 {
		return os.NewSyscallError("ioctl EXT4_IOC_SHUTDOWN", errno)
	}
	return nil
}
