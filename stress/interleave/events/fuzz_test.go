package events

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// FuzzRead feeds a stranger's bytes as the file. Every line is an event or counted; kept events are whole
// lines of the file in its order, and reading what they say, written again, gives the same.
func FuzzRead(f *testing.F) {
	f.Add([]byte("@12:3:4 ready 80\nplain line\n\n@:: x\nhalf"))
	f.Add([]byte("@1:2@3:4:5 b\n%41%00 %. %\n\x00\xff\n@9223372036854775807:4194304:1 a\xff\n"))
	f.Add([]byte(strings.Repeat("y", 5000) + "\nb\n"))
	f.Add([]byte(strings.Repeat("@1:2:3 a\n", 30)))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := readAll(bytes.NewReader(data), int64(len(data)))
		require.NoError(t, err)
		require.LessOrEqual(t, len(got.events), maxEvents)
		if len(data) <= maxRead {
			require.Equal(t, countLines(data), int64(len(got.events))+got.dropped)
		}
		for _, e := range got.events {
			line := written(e)
			require.LessOrEqual(t, len(e.name), maxName)
			back, ok := parse(line)
			require.True(t, ok, "%q", line)
			require.Equal(t, e, back)
			_, half := whole(line)
			require.False(t, half, "%q", line)
		}
		checkTrace(t, got.events)
	})
}

// countLines counts, in a way of its own, the pieces of data that are an event or must be counted.
func countLines(data []byte) int64 {
	lines := bytes.SplitAfter(data, []byte{'\n'})
	count := int64(0)
	for _, l := range lines {
		body := bytes.TrimSuffix(l, []byte{'\n'})
		switch {
		case len(l) > maxLine || len(l) == len(body) && len(l) > 0:
			count++ // too long, or half a line at the end: counted as one whatever is in it
		case len(bytes.Trim(body, " \t")) > 0:
			count++
			if rest, half := whole(body); half {
				count++
				if len(bytes.Trim(rest, " \t")) == 0 {
					count--
				}
			}
		}
	}
	return count
}

// written is an event as a client writes it.
func written(e event) []byte {
	var line bytes.Buffer
	part := func(n int64, have bool) string {
		if !have {
			return ""
		}
		return fmt.Sprint(n)
	}
	fmt.Fprintf(&line, "@%s:%s:%s", part(e.at, e.at != noTime), part(int64(e.pid), e.pid > 0), part(int64(e.tid), e.tid > 0))
	for _, word := range append([]string{e.name}, e.fields...) {
		line.WriteByte(' ')
		if word == "" {
			line.WriteString("%.")
		}
		for _, b := range []byte(word) {
			if b <= ' ' || b == 0x7f || b == '%' || b == '@' {
				fmt.Fprintf(&line, "%%%02X", b)
			} else {
				line.WriteByte(b)
			}
		}
	}
	return line.Bytes()
}

// checkTrace checks what a trace promises, whatever the times were.
func checkTrace(t *testing.T, events []event) {
	now := time.Now()
	trace := traceOf(events, life{clock: clock{at: now}, start: now, end: now.Add(time.Hour)})
	require.Len(t, trace.Points, len(events))
	last := time.Duration(0)
	for i, p := range trace.Points {
		require.Equal(t, events[i].name, p.Name, "the file's order")
		require.GreaterOrEqual(t, p.At, last)
		require.LessOrEqual(t, p.At, time.Hour)
		require.Less(t, p.Thread, len(trace.Threads))
		if p.Thread >= 0 {
			require.Equal(t, events[i].tid, trace.Threads[p.Thread].TID)
			require.Equal(t, events[i].pid, trace.Threads[p.Thread].PID)
		}
		last = p.At
	}
	require.LessOrEqual(t, len(trace.Threads), len(events))
}
