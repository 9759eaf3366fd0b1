// Command journalwriter appends numbered records to a journal and prints the number of each that was
// acknowledged, or verifies that acknowledged numbers are there. The fault scripts run it under strace, on
// full disks and across power cuts.
//
//	journalwriter write DIR COUNT     prints each acknowledged number
//	journalwriter -cut MOUNT -at POINT [-hit N] write DIR COUNT
//	                                  cuts the power at a failpoint's Nth hit
//	journalwriter verify DIR ACKED    ACKED is a file of numbers, one a line
//	journalwriter points              lists the failpoints
//
// Exit codes: 0 all well, 1 a record was refused or is missing, 2 usage, 3 the journal cannot be opened or
// read, 9 the power was cut.
package main

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"

	"heisen/stress/durable"
	"heisen/stress/journal"
)

// exitCut says that the process ended because it had cut the power.
const exitCut = 9

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("journalwriter", flag.ContinueOnError)
	flags.SetOutput(stderr)
	mount := flags.String("cut", "", "mount point of the file system whose power is cut")
	point := flags.String("at", "", "failpoint at which that happens")
	hit := flags.Int64("hit", 1, "at which hit of it")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	var appending sync.Mutex
	var fp durable.Failpoints
	if *mount != "" {
		fp = cutAt(*mount, *point, *hit, &appending)
	}
	dir, last := flags.Arg(1), flags.Arg(2)
	switch {
	case flags.Arg(0) == "points" && flags.NArg() == 1:
		for _, name := range journal.Points() {
			fmt.Fprintln(stdout, name)
		}
		return 0
	case flags.Arg(0) == "write" && flags.NArg() == 3:
		return write(dir, last, fp, &appending, stdout, stderr)
	case flags.Arg(0) == "verify" && flags.NArg() == 3:
		return verify(dir, last, stdout, stderr)
	}
	flags.Usage()
	return 2
}

func open(dir string, fp durable.Failpoints) (*journal.Journal, error) {
	return journal.Open(dir, journal.Options{
		Campaign: "faults", NewFold: newFold, CommitDelay: -1, SegmentBytes: 2 << 10, Failpoints: fp,
	})
}

func write(dir, last string, fp durable.Failpoints, appending *sync.Mutex, stdout, stderr io.Writer) int {
	count, err := strconv.Atoi(last)
	if err != nil {
		return 2
	}
	j, err := open(dir, fp)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 3
	}
	code := 0
	for i := range count {
		appending.Lock()
		err := j.Append([]byte(strconv.Itoa(i)))
		if err == nil {
			fmt.Fprintln(stdout, i)
		} else {
			fmt.Fprintf(stderr, "%d: %v\n", i, err)
			code = 1
		}
		appending.Unlock()
	}
	if err := j.Close(); err != nil {
		fmt.Fprintln(stderr, err)
	}
	return code
}

// verify opens the journal as a resume does and compares it with what was acknowledged.
func verify(dir, ackedFile string, stdout, stderr io.Writer) int {
	acked, err := os.ReadFile(ackedFile)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 2
	}
	j, err := open(dir, nil)
	if err == nil {
		err = j.Close()
	}
	seen := make(map[string]int)
	if err == nil {
		_, err = journal.ReadAll(dir, func(p []byte) error { seen[string(p)]++; return nil })
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 3
	}
	missing, total := 0, 0
	for lines := bufio.NewScanner(bytes.NewReader(acked)); lines.Scan(); total++ {
		if seen[lines.Text()] != 1 {
			missing++
		}
	}
	fmt.Fprintf(stdout, "%d acknowledged, %d in the journal, %d missing\n", total, len(seen), missing)
	if missing > 0 {
		return 1
	}
	return 0
}

// countFold is the smallest state there is: how many records came.
type countFold struct{ n int }

func newFold(snapshot []byte) (journal.Fold, error) {
	f := &countFold{}
	if snapshot == nil {
		return f, nil
	}
	var err error
	f.n, err = strconv.Atoi(string(snapshot))
	return f, err
}

func (f *countFold) Apply([]byte) error        { f.n++; return nil }
func (f *countFold) Snapshot() ([]byte, error) { return []byte(strconv.Itoa(f.n)), nil }
