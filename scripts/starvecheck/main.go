// Command starvecheck holds the starvation signals against other tools on one and the same process: context
// switches against /usr/bin/time -v (they must be equal), CPU time against perf sched (within 2 %) and run
// delay against perf sched (within 10 %). It needs Linux, GNU time and, for the last two, perf and root.
//
//	go run ./scripts/starvecheck
//
// The process runs four threads that compute and sleep in turn on one CPU, so that they wait for each other.
// Exit code 1 means that a figure is further off than that.
package main

import (
	"fmt"
	"os"
)

func main() {
	var err error
	switch {
	case len(os.Args) == 2 && os.Args[1] == "work":
		err = work()
	case len(os.Args) == 4 && os.Args[1] == "measure":
		err = measure(os.Args[2], os.Args[3])
	default:
		err = compare()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "starvecheck:", err)
		os.Exit(1)
	}
}
