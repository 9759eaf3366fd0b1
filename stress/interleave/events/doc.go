// Package events takes what a test tells of its own doings: the events it writes to HEISEN_EVENTS, and the
// lines it prints. Both become points of the attempt's run.Trace.
//
// # The channel
//
// HEISEN_EVENTS names a regular file, empty at the attempt's start, to which every process and thread of the
// attempt may append. One event is one line and one write(2) of a descriptor opened with O_APPEND. The kernel
// holds the file's lock from finding its end to the last byte of such a write (open(2), and
// Documentation/filesystems/locking.rst), so lines of different writers do not mix, and their order in the
// file is the one order that all writers agree on. A file needs no reader while the attempt runs: a pipe
// or socket would fill up, and stop the test, on the very machine that is too busy to schedule its reader.
// What was written before a kill is there after it.
//
// # A line
//
//	[@NS:PID:TID ]NAME[ FIELD]...
//
// The bytes are UTF-8; blanks (spaces and tabs) separate; the newline ends the event, and a line is at most
// 4096 bytes with it. NS is CLOCK_MONOTONIC in nanoseconds, PID and TID are decimal as getpid(2) and gettid(2)
// give them; each may be empty, and all of it may be left out. In NAME and FIELD %XX is the byte of that
// value and "%." is nothing at all (an empty field); any other % is itself. Clients write blanks, control
// characters, '%' and '@' so. A name has at most 128 bytes.
//
// What is no such line is counted and left out: control characters, a longer line, a last line without its
// end. Where "@NS:PID:TID " stands inside a line, what comes before it is half a line that was cut off.
//
// # Times
//
// A writer reads the clock before it writes, and may lose its CPU between the two. An event's time is
// therefore the latest that it or any event before it in the file has: it cannot have been written earlier.
// This keeps the order, and gives events without a time, or with one outside the attempt's life, the time
// of the one before them.
package events
