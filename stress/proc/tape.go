package proc

import (
	"time"

	"heisen/stress/run"
)

const (
	// coalesce is how close in time two reads of one stream must be to become one chunk.
	coalesce = time.Millisecond
	// chunkCost is how many bytes of the budget a chunk takes at least, so that a flood of tiny writes to
	// both streams in turn cannot make the bookkeeping larger than the output.
	chunkCost = 32
)

// mark describes the next size bytes of a tape.
type mark struct {
	stream run.Stream
	at     time.Duration
	size   int
}

// tape keeps the head and the tail of an attempt's output in bounded memory and counts all of it. Memory
// is taken as output comes: a silent attempt costs nothing, a flood no more than the budget.
// It is not safe for concurrent use.
type tape struct {
	half  int // budget of the head, and again of the tail
	full  bool
	total int64

	head      []byte
	headMarks []mark

	// tail is a ring of len(tail) bytes: the newest used bytes end before position next.
	tail      []byte
	next      int
	used      int
	tailMarks []mark
	first     int // the oldest mark still on the tape
}

// newTape makes a tape that keeps at most keep bytes.
func newTape(keep int64) *tape {
	return &tape{half: int(max(keep, 0) / 2)}
}

// write adds what was read from one stream at one moment.
func (t *tape) write(stream run.Stream, at time.Duration, data []byte) {
	t.total += int64(len(data))
	if !t.full {
		data = t.writeHead(stream, at, data)
	}
	if len(data) > 0 && t.half > 0 {
		t.writeTail(stream, at, data)
	}
}

// writeHead takes what the head has room for and returns the rest.
func (t *tape) writeHead(stream run.Stream, at time.Duration, data []byte) []byte {
	n := min(len(data), t.half-len(t.head))
	merged := extend(t.headMarks, stream, at, n)
	if !merged && len(t.headMarks) > t.half/chunkCost {
		n = 0
	}
	t.full = n < len(data)
	if n == 0 {
		return data
	}
	t.head = append(t.head, data[:n]...)
	if !merged {
		t.headMarks = append(t.headMarks, mark{stream, at, n})
	}
	return data[n:]
}

// extend adds size bytes to the last mark if they came from the same stream at almost the same time.
func extend(marks []mark, stream run.Stream, at time.Duration, size int) bool {
	if len(marks) == 0 || size == 0 {
		return false
	}
	last := &marks[len(marks)-1]
	if last.stream != stream || at-last.at >= coalesce {
		return false
	}
	last.size += size
	return true
}

func (t *tape) writeTail(stream run.Stream, at time.Duration, data []byte) {
	if len(data) > t.half {
		data = data[len(data)-t.half:]
	}
	t.grow(t.used + len(data))
	if over := t.used + len(data) - t.half; over > 0 {
		t.forget(over)
	}
	for rest := data; len(rest) > 0; {
		n := copy(t.tail[t.next:], rest)
		t.next = (t.next + n) % len(t.tail)
		rest = rest[n:]
	}
	t.used += len(data)
	if extend(t.tailMarks[t.first:], stream, at, len(data)) {
		return
	}
	if len(t.tailMarks)-t.first > t.half/chunkCost {
		t.forget(t.tailMarks[t.first].size)
	}
	t.tailMarks = append(t.tailMarks, mark{stream, at, len(data)})
}

// grow makes the ring large enough for size bytes, or as large as it may be.
func (t *tape) grow(size int) {
	if size <= len(t.tail) || len(t.tail) == t.half {
		return
	}
	ring := make([]byte, min(t.half, max(size, 2*len(t.tail), 512)))
	t.copyTail(ring)
	t.tail, t.next = ring, t.used%len(ring)
}

// copyTail writes the ring's content to out, oldest byte first.
func (t *tape) copyTail(out []byte) {
	if t.used == 0 {
		return
	}
	start := (t.next - t.used + len(t.tail)) % len(t.tail)
	n := copy(out[:t.used], t.tail[start:])
	copy(out[n:t.used], t.tail)
}

// forget drops the oldest n bytes of the tail.
func (t *tape) forget(n int) {
	t.used -= n
	for n > 0 {
		oldest := &t.tailMarks[t.first]
		if oldest.size > n {
			oldest.size -= n
			break
		}
		n -= oldest.size
		t.first++
	}
	// Compact when more than half of the marks are dead, so that each is moved at most once on average.
	if t.first > 64 && t.first > len(t.tailMarks)/2 {
		t.tailMarks = t.tailMarks[:copy(t.tailMarks, t.tailMarks[t.first:])]
		t.first = 0
	}
}

// output hands over what was kept. The tape must not be written to after it.
func (t *tape) output() run.Output {
	linear := make([]byte, t.used)
	t.copyTail(linear)
	return run.Output{
		Head:    slice(t.head, t.headMarks),
		Tail:    slice(linear, t.tailMarks[t.first:]),
		Total:   t.total,
		Omitted: t.total - int64(len(t.head)+t.used),
	}
}

// slice cuts data into chunks as marked.
func slice(data []byte, marks []mark) []run.Chunk {
	if len(marks) == 0 {
		return nil
	}
	chunks := make([]run.Chunk, len(marks))
	for i, m := range marks {
		chunks[i] = run.Chunk{Stream: m.stream, At: m.at, Data: data[:m.size:m.size]}
		data = data[m.size:]
	}
	return chunks
}
