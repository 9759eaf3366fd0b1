// Package strain puts load on the machine on purpose: processes ("hogs") that compute, hold memory or write
// to a disk, beside the attempts and outside their process groups and cgroups. They make a test wait for the
// machine, where a CPU limit makes the machine smaller.
//
// Hogs are this very program, executed again with HogCommand. They are in heisen's own session, since what
// is in another one is taken for an attempt's orphan and reaped (see stress/proc), and each in a process
// group of its own, so that a terminal's signals do not reach them. They die with heisen, however it dies:
// the kernel kills them (PR_SET_PDEATHSIG), and each one watches a pipe for end of file, which also holds
// where heisen's death is not told.
package strain
