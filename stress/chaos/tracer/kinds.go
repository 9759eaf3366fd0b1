package tracer

import "heisen/stress/chaos"

// kind is what a thread does where threads meet. Several system calls share one.
type kind uint8

const (
	kindNone kind = iota
	futexWait
	futexWake
	futexRequeue
	clone
	exit
	execve
	wait
	pipeRead
	pipeWrite
	socketRecv
	socketSend
	socketOpen
	socketAccept
	poll
	sleep
	yield
	lock
	fileCreate
	fileRename
	fileUnlink
	signalSend
	signalWait
	eventRead
	eventWrite
	timerRead
	threadStart
	signalled
	breakpoint
	kinds // how many there are; what follows needs a look before it is one of those above

	read     // of some descriptor
	write    // to some descriptor
	output   // a write to descriptor 1 or 2: the test says something
	restart  // restart_syscall(2): the call before goes on
	tracing  // the test would trace processes itself
	prelude  // ends the part before the test proper and is no sync point
	allKinds // how many values there are
)

var kindNames = [kinds]string{
	futexWait: "futex.wait", futexWake: "futex.wake", futexRequeue: "futex.requeue", clone: "clone", exit: "exit",
	execve: "exec", wait: "wait", pipeRead: "pipe.read", pipeWrite: "pipe.write", socketRecv: "socket.recv",
	socketSend: "socket.send", socketOpen: "socket.open", socketAccept: "socket.accept", poll: "poll",
	sleep: "sleep", yield: "yield", lock: "lock", fileCreate: "file.create", fileRename: "file.rename",
	fileUnlink: "file.unlink", signalSend: "signal.send", signalWait: "signal.wait", eventRead: "event.read",
	eventWrite: "event.write", timerRead: "timer.read", threadStart: "thread.start", signalled: "signal", breakpoint: chaos.AtInstruction,
}

// edge is the side of a system call.
type edge uint8

const (
	entry edge = iota
	leave
)

// point is a kind and its edge: a place to hold a thread, once it is known which thread and how often it was
// there.
type point uint8

const points = point(kinds) * 2

func at(k kind, e edge) point { return point(k)*2 + point(e) }
func (p point) kind() kind    { return kind(p / 2) }
func (p point) edge() edge    { return edge(p % 2) }

// String is the name that addresses use.
func (p point) String() string {
	switch p.kind() {
	case threadStart, signalled, exit, breakpoint:
		return kindNames[p.kind()]
	}
	if p.edge() == leave {
		return kindNames[p.kind()] + ".exit"
	}
	return kindNames[p.kind()] + ".entry"
}

// pointNamed finds a point by its name; ok is false where this version has none of that name.
func pointNamed(name string) (p point, ok bool) {
	for p = 2; p < points; p++ {
		if p.String() == name {
			return p, true
		}
	}
	return 0, false
}

// mayBlock tells whether a thread that enters such a call may wait for another thread, or for time, in it.
func (k kind) mayBlock() bool {
	switch k {
	case futexWait, wait, pipeRead, pipeWrite, socketRecv, socketSend, socketOpen, socketAccept, poll, sleep, yield, lock,
		signalWait, eventRead, eventWrite, timerRead:
		return true
	}
	return false
}
