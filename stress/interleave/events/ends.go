package events

// ends keeps the first and the last of a sequence whose length nobody knows beforehand. Each of the two
// stays within most items of room bytes together.
type ends[T any] struct {
	most, room int
	size       func(T) int

	head, tail         []T
	headSize, tailSize int
	headOver           bool
	// dropped counts what is missing between head and tail.
	dropped int64
}

func (e *ends[T]) add(x T) {
	n := e.size(x)
	if !e.headOver && len(e.head) < e.most && e.headSize+n <= e.room {
		e.head, e.headSize = append(e.head, x), e.headSize+n
		return
	}
	e.headOver = true
	e.tail, e.tailSize = append(e.tail, x), e.tailSize+n
	for len(e.tail) > e.most || e.tailSize > e.room {
		var none T
		e.tailSize -= e.size(e.tail[0])
		e.tail[0] = none // what it points to can go before the array does
		e.tail = e.tail[1:]
		e.dropped++
	}
}

// all is what was kept, in order.
func (e *ends[T]) all() []T { return append(e.head, e.tail...) }
