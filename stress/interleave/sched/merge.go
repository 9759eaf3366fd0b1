package sched

// feed holds what was read from one CPU's ring and is not dealt with yet.
type feed struct {
	cpu  int16
	buf  []byte
	pos  int  // buf[:pos] is dealt with
	next wire // the record at pos, if size is not 0
	size int
}

// peek decodes the next record, unless that has been done. What is no record empties the feed.
func (f *feed) peek(malformed *uint64) bool {
	if f.size != 0 {
		return true
	}
	if f.pos == len(f.buf) {
		return false
	}
	var err error
	if f.next, f.size, err = decode(f.buf[f.pos:]); err != nil {
		f.pos, f.size = len(f.buf), 0
		*malformed++
		return false
	}
	return true
}

func (f *feed) advance() {
	f.pos += f.size
	f.size = 0
}

// compact moves what is left to the front, so that the buffer does not grow for ever.
func (f *feed) compact() {
	f.buf = f.buf[:copy(f.buf, f.buf[f.pos:])]
	f.pos = 0
}

// merger puts the records of several rings into the order of their times. A ring is in order by itself;
// but two rings are not read at the same moment, and a record is written a little after its time was taken.
type merger struct {
	feeds     []feed
	records   uint64
	malformed uint64
	late      uint64
	last      int64
}

// upTo hands over all records not later than mark. With a mark taken before the rings were read the last
// time but one, no ring can still be about to show an earlier record, except one whose CPU stood still in
// between, as a virtual CPU can. Such records are handed over late.
func (m *merger) upTo(mark int64, emit func(cpu int16, w *wire)) {
	for {
		f := m.earliest()
		if f == nil || f.next.at > mark {
			break
		}
		m.records++
		if f.next.at < m.last {
			m.late++
		}
		m.last = max(m.last, f.next.at)
		emit(f.cpu, &f.next)
		f.advance()
	}
	for i := range m.feeds {
		m.feeds[i].compact()
	}
}

// earliest finds the feed with the earliest record. There are few feeds: to look at each is as fast as a
// heap.
func (m *merger) earliest() *feed {
	var best *feed
	for i := range m.feeds {
		f := &m.feeds[i]
		if f.peek(&m.malformed) && (best == nil || f.next.at < best.next.at) {
			best = f
		}
	}
	return best
}
