// Package golang reaches into the Go runtime of a test: it builds the test's binary once instead of once an
// attempt, and a second one whose scheduler can be told when to yield, to sleep and whom to starve.
//
// Goroutines are scheduled above the kernel, where a held thread moves little. So the second binary is built
// with -overlay from the user's own GOROOT: [Patch] puts calls into the functions of runtime, sync and
// sync/atomic where goroutines meet, by their syntax, and adds the files under inside/. Nothing of the
// user's source is touched, and nothing of Go's is shipped. What is done there only delays: a goroutine
// yields, sleeps or starts late where it could have been preempted anyway.
//
// A decision has an address: the goroutine's creation path, the kind of operation, the line of the caller,
// and how often the goroutine was there. What is drawn is a hash of the attempt's seed and the address, so
// it does not depend on the order in which others arrive, and a recorded decision can be pinned.
package golang
