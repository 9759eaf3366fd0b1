package tracer

import "golang.org/x/sys/unix"

// Operations of futex(2), without FUTEX_PRIVATE_FLAG and FUTEX_CLOCK_REALTIME (linux/futex.h).
var (
	futexWaits    = []uint32{0, 6, 9, 11, 13} // WAIT, LOCK_PI, WAIT_BITSET, WAIT_REQUEUE_PI, LOCK_PI2
	futexWakes    = []uint32{1, 5, 7, 10}     // WAKE, WAKE_OP, UNLOCK_PI, WAKE_BITSET
	futexRequeues = []uint32{3, 4, 12}        // REQUEUE, CMP_REQUEUE, CMP_REQUEUE_PI
	recordLocks   = []uint32{6, 7, 37, 38}    // F_SETLK, F_SETLKW, F_OFD_SETLK, F_OFD_SETLKW
	outputs       = []uint32{1, 2}
)

const (
	futexOperation = 0x7f
	everyBit       = 0xffffffff
)

func every(k kind, numbers ...uint32) []rule {
	var rules []rule
	for _, nr := range numbers {
		rules = append(rules, rule{nr: nr, kind: k, arg: -1})
	}
	return rules
}

func which(k kind, nr uint32, arg int, mask uint32, values []uint32) rule {
	return rule{nr: nr, kind: k, arg: arg, mask: mask, values: values}
}

func anyBit(k kind, nr uint32, arg int, mask uint32) rule {
	return rule{nr: nr, kind: k, arg: arg, mask: mask, set: true}
}

func join(sets ...[]rule) []rule {
	var all []rule
	for _, s := range sets {
		all = append(all, s...)
	}
	return all
}

// firstRules stop at what ends the part before the test proper: the first thing an image does that others can
// see. Calls that are there for this alone are of kind prelude.
func firstRules() []rule {
	return join(
		every(clone, unix.SYS_CLONE, unix.SYS_CLONE3), oldClones,
		every(execve, unix.SYS_EXECVE, unix.SYS_EXECVEAT),
		[]rule{which(output, unix.SYS_WRITE, 0, everyBit, outputs), which(output, unix.SYS_WRITEV, 0, everyBit, outputs)},
		every(tracing, unix.SYS_PTRACE),
		every(socketOpen, unix.SYS_CONNECT, unix.SYS_BIND, unix.SYS_LISTEN), every(prelude, unix.SYS_SOCKET),
		sends(), creates(), renames(), unlinks(), locks(),
	)
}

func sends() []rule {
	return every(signalSend, unix.SYS_KILL, unix.SYS_TKILL, unix.SYS_TGKILL, unix.SYS_RT_SIGQUEUEINFO,
		unix.SYS_RT_TGSIGQUEUEINFO, unix.SYS_PIDFD_SEND_SIGNAL)
}

func creates() []rule {
	return join([]rule{anyBit(fileCreate, unix.SYS_OPENAT, 2, unix.O_CREAT)},
		every(fileCreate, unix.SYS_MKDIRAT, unix.SYS_LINKAT, unix.SYS_SYMLINKAT, unix.SYS_MKNODAT), oldCreates)
}

func renames() []rule { return join(every(fileRename, unix.SYS_RENAMEAT2), oldRenames) }
func unlinks() []rule { return join(every(fileUnlink, unix.SYS_UNLINKAT), oldUnlinks) }

func locks() []rule {
	return join(every(lock, unix.SYS_FLOCK), []rule{which(lock, unix.SYS_FCNTL, 1, everyBit, recordLocks)})
}

// fullRules stop at every sync point. What the first filter stops at already is here too: of two filters that
// agree on the action, the kernel reports the data of the one installed last.
func fullRules() []rule {
	return join(
		every(clone, unix.SYS_CLONE, unix.SYS_CLONE3), oldClones,
		every(execve, unix.SYS_EXECVE, unix.SYS_EXECVEAT),
		[]rule{
			which(futexWait, unix.SYS_FUTEX, 1, futexOperation, futexWaits),
			which(futexWake, unix.SYS_FUTEX, 1, futexOperation, futexWakes),
			which(futexRequeue, unix.SYS_FUTEX, 1, futexOperation, futexRequeues),
		},
		every(futexWait, unix.SYS_FUTEX_WAITV, unix.SYS_FUTEX_WAIT), every(futexWake, unix.SYS_FUTEX_WAKE),
		every(futexRequeue, unix.SYS_FUTEX_REQUEUE),
		every(wait, unix.SYS_WAIT4, unix.SYS_WAITID),
		every(read, unix.SYS_READ, unix.SYS_READV), every(write, unix.SYS_WRITE, unix.SYS_WRITEV),
		every(socketRecv, unix.SYS_RECVFROM, unix.SYS_RECVMSG, unix.SYS_RECVMMSG),
		every(socketSend, unix.SYS_SENDTO, unix.SYS_SENDMSG, unix.SYS_SENDMMSG),
		every(socketOpen, unix.SYS_CONNECT, unix.SYS_BIND, unix.SYS_LISTEN, unix.SYS_SHUTDOWN),
		every(socketAccept, unix.SYS_ACCEPT, unix.SYS_ACCEPT4),
		every(poll, unix.SYS_PPOLL, unix.SYS_PSELECT6, unix.SYS_EPOLL_PWAIT, unix.SYS_EPOLL_PWAIT2), oldPolls,
		every(sleep, unix.SYS_NANOSLEEP, unix.SYS_CLOCK_NANOSLEEP), every(yield, unix.SYS_SCHED_YIELD),
		every(signalWait, unix.SYS_RT_SIGTIMEDWAIT, unix.SYS_RT_SIGSUSPEND, unix.SYS_SEMTIMEDOP, unix.SYS_SEMOP,
			unix.SYS_MSGRCV, unix.SYS_MSGSND), oldSignalWaits,
		every(restart, unix.SYS_RESTART_SYSCALL),
		sends(), creates(), renames(), unlinks(), locks(),
	)
}
