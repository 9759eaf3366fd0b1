// Package proc runs one attempt of a campaign as a supervised process tree: it starts the command in a
// session of its own, records its output, stops it when it must be stopped, and does not return before
// nothing of it is left.
//
// What it promises, and with which kernel mechanism, is docs/supervision.md. In short: processes are
// waited for through pidfds and never with wait4(-1); a process group is signalled only while its leader
// is unreaped, so its number cannot belong to a stranger; what leaves the group is found through its
// cgroup (tiers A and B) or because it is re-parented to this process, a child subreaper (tier D).
//
// The package changes the process it runs in: it becomes a subreaper, has a soft RLIMIT_CORE of 0 and a
// larger GOMAXPROCS while a Supervisor is open, and every child that is not in its own session is taken for a test's orphan and
// reaped. Other packages must not start children with Setsid from the same process.
package proc
