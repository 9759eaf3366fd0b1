package tracer

import "golang.org/x/sys/unix"

const auditArch = unix.AUDIT_ARCH_AARCH64

// Calls that only older architectures have.
var (
	oldClones, oldCreates, oldUnlinks, oldPolls, oldSignalWaits []rule

	oldRenames = every(fileRename, unix.SYS_RENAMEAT)
)
