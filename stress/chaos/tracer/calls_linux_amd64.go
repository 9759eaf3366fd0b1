package tracer

import "golang.org/x/sys/unix"

const auditArch = unix.AUDIT_ARCH_X86_64

// Calls that arm64, which came later, does not have.
var (
	oldClones  = every(clone, unix.SYS_FORK, unix.SYS_VFORK)
	oldCreates = join([]rule{anyBit(fileCreate, unix.SYS_OPEN, 1, unix.O_CREAT)},
		every(fileCreate, unix.SYS_CREAT, unix.SYS_MKDIR, unix.SYS_LINK, unix.SYS_SYMLINK, unix.SYS_MKNOD))
	oldRenames     = every(fileRename, unix.SYS_RENAME, unix.SYS_RENAMEAT)
	oldUnlinks     = every(fileUnlink, unix.SYS_UNLINK, unix.SYS_RMDIR)
	oldPolls       = every(poll, unix.SYS_POLL, unix.SYS_SELECT, unix.SYS_EPOLL_WAIT)
	oldSignalWaits = every(signalWait, unix.SYS_PAUSE)
)
