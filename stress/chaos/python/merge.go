package python

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
)

// inOrder merges the records of several processes by the times of their lines. A line without one belongs to the line
// before it.
func inOrder(records [][]byte) []byte {
	type timed struct {
		at   int64
		line []byte
	}
	var lines []timed
	for _, record := range records {
		var at int64
		for line := range bytes.Lines(record) {
			at = max(at, timeOf(line))
			lines = append(lines, timed{at, line})
		}
	}
	slices.SortStableFunc(lines, func(a, b timed) int { return cmp.Compare(a.at, b.at) })
	var all []byte
	for _, l := range lines {
		all = append(all, l.line...)
		if !bytes.HasSuffix(l.line, []byte("\n")) {
			all = append(all, '\n')
		}
	}
	return all
}

// timeOf is the time in a line, CLOCK_MONOTONIC in nanoseconds; 0 where it has none.
func timeOf(line []byte) int64 {
	fields := bytes.SplitN(line, []byte("\t"), 3)
	if len(fields) < 3 {
		return 0
	}
	switch string(fields[0]) {
	case "thread", "point", "made":
		at, err := strconv.ParseInt(string(fields[1]), 10, 64)
		if err == nil {
			return at
		}
	}
	return 0
}
