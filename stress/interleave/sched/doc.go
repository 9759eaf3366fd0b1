// Package sched keeps the scheduler's own record of an attempt: which thread was on which CPU from when to
// when, which was preempted, who created whom and when the new thread first ran. It needs no privilege
// (for one's own processes, up to kernel.perf_event_paranoid 2), no hardware counters and no tracefs.
//
// The kernel makes the records (perf_event_open(2), a software event that counts nothing, with
// context_switch, task and comm). A thread that starts attempts is followed with [Recorder.Follow]; what it
// forks inherits the events before its first instruction, so that nothing is missed and an attempt costs
// no descriptor of its own. All events of a CPU write into one ring. [Recorder.Attach] says which process
// is which attempt; everything that process creates belongs to it.
//
// What the records cannot say:
//   - A thread that leaves the CPU without being preempted sleeps. When it is woken is not recorded, so
//     the time from wake-up to running is not known from here (field 2 of schedstat has it, as a sum).
//   - The end of a thread is recorded in the kernel's do_exit, before its memory is released and its parent
//     is told. The CPU time and the switches of those last steps are not here.
//   - A program that changes its privileges at exec (setuid, unreadable) leaves the record: the kernel
//     removes events from it.
//   - On a CPU that is not in [Config.CPUs] nothing is recorded.
package sched
