package guard

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// socketpair returns the two ends of a control socket, both close-on-exec; the first never blocks a thread.
func socketpair() (front, supervisor *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("make control socket: %w", err)
	}
	return os.NewFile(uintptr(fds[0]), "control"), os.NewFile(uintptr(fds[1]), "control"), nil
}

// announcement is the environment entry for a socket that will be descriptor fd in the supervisor. Sockets
// have unique inode numbers (sockfs), so the supervisor can tell it from any other descriptor.
func announcement(socket *os.File, fd int) (string, error) {
	conn, err := socket.SyscallConn()
	if err != nil {
		return "", fmt.Errorf("inspect control socket: %w", err)
	}
	id, failed := "", error(nil)
	err = conn.Control(func(own uintptr) { id, failed = identity(int(own)) })
	if err == nil {
		err = failed
	}
	if err != nil {
		return "", fmt.Errorf("inspect control socket: %w", err)
	}
	return fmt.Sprintf("%s=%d:%s", variable, fd, id), nil
}

// identity is what tells one open socket from every other: "device:inode".
func identity(fd int) (string, error) {
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return "", err
	}
	if stat.Mode&unix.S_IFMT != unix.S_IFSOCK {
		return "", unix.ENOTSOCK
	}
	return fmt.Sprintf("%d:%d", stat.Dev, stat.Ino), nil
}

// inherited opens the control socket that value announces, or returns nil if this process does not have it.
// Nothing is done to a descriptor that is not ours.
func inherited(value string) *os.File {
	number, id, _ := strings.Cut(value, ":")
	var fd int
	if _, err := fmt.Sscanf(number, "%d", &fd); err != nil || fd < 3 {
		return nil
	}
	if own, err := identity(fd); err != nil || own != id {
		return nil
	}
	unix.CloseOnExec(fd)
	if err := unix.SetNonblock(fd, true); err != nil {
		return nil
	}
	return os.NewFile(uintptr(fd), "control")
}

// without returns env with every entry of that name left out.
func without(env []string, name string) []string {
	var kept []string
	for _, entry := range env {
		if !strings.HasPrefix(entry, name+"=") {
			kept = append(kept, entry)
		}
	}
	return kept
}
