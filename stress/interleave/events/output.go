package events

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"heisen/stress/run"
)

// longestLine is how much of one line of output is looked at.
const longestLine = 64 << 10

// outputLine is one line of output, or as much of it as is known from its start.
type outputLine struct {
	stream run.Stream
	text   []byte
	pieces []piece
	// headless tells that its beginning was not kept, so that nothing in it can be trusted.
	headless bool
}

// piece tells when the bytes up to end had come.
type piece struct {
	end int
	at  time.Duration
}

// eachLine puts the lines of the two interleaved streams together again and gives take each that is not
// empty, as it ends; the text is take's only until it returns. A line that was cut where output was left
// out, at upTo bytes of what was kept (-1 for no end), or after 64 KiB, counts as far as it is known.
func eachLine(o *run.Output, upTo int, take func(*outputLine)) {
	a := assembler{take: take}
	for i, part := range [][]run.Chunk{o.Head, o.Tail} {
		if i == 1 && o.Omitted > 0 {
			a.breakLines()
		}
		for _, c := range part {
			if upTo >= 0 {
				c.Data = c.Data[:min(len(c.Data), upTo)]
				upTo -= len(c.Data)
			}
			a.chunk(c)
		}
	}
	for s := range a.open {
		a.end(&a.open[s])
	}
}

// assembler holds the lines that are not yet ended, one a stream.
type assembler struct {
	take func(*outputLine)
	open [2]outputLine
}

func (a *assembler) chunk(c run.Chunk) {
	l := &a.open[0]
	if c.Stream == run.Stderr {
		l = &a.open[1]
	}
	l.stream = c.Stream
	for rest := c.Data; len(rest) > 0; {
		end := bytes.IndexByte(rest, '\n')
		if end < 0 {
			l.add(rest, c.At)
			return
		}
		l.add(rest[:end], c.At)
		a.end(l)
		rest = rest[end+1:]
	}
}

func (l *outputLine) add(text []byte, at time.Duration) {
	text = text[:min(len(text), longestLine-len(l.text))]
	if len(text) > 0 {
		l.text = append(l.text, text...)
		l.pieces = append(l.pieces, piece{len(l.text), at})
	}
}

func (a *assembler) end(l *outputLine) {
	whole := l.text
	l.text = bytes.TrimSuffix(l.text, []byte{'\r'})
	if !l.headless && len(l.text) > 0 {
		a.take(l)
	}
	l.text, l.pieces, l.headless = whole[:0], l.pieces[:0], false
}

// breakLines ends the lines that the gap in the output cut, and distrusts what follows it up to the next
// end of line, in both streams: nobody knows whose bytes are missing.
func (a *assembler) breakLines() {
	for s := range a.open {
		a.end(&a.open[s])
		a.open[s].headless = true
	}
}

// when tells when the byte before end had come: no earlier could it be read.
func (l *outputLine) when(end int) time.Duration {
	for _, p := range l.pieces {
		if end <= p.end {
			return p.at
		}
	}
	return l.pieces[len(l.pieces)-1].at
}

// byTime sorts points by time. A line without an end is taken last, whenever it came.
func byTime(points []run.Point) {
	slices.SortStableFunc(points, func(a, b run.Point) int { return cmp.Compare(a.At, b.At) })
}
