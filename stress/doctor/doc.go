// Package doctor finds out what this machine lets heisen do: each Check names one thing heisen uses, what
// was found, what is lost without it and how to get it.
//
// It only collects. No probe changes the machine: what one opens it closes, the children it forks are
// reaped before it returns and never run an instruction of a program, and a filter or a no_new_privs flag
// is set only on a thread that ends with the probe. Each probe has a time limit, because a kernel
// interface that hangs is a finding too. Nothing here needs privilege.
//
// Raw system calls are allowed in this room: whether perf_event_open, ptrace and seccomp work is known
// only by calling them; versions and capabilities say little inside a container.
package doctor
