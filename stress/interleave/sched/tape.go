package sched

// budget is the number of events that may still be kept, shared by all attempts.
type budget struct{ left int }

// tape keeps the head and the tail of a stream of events in bounded memory. The middle is counted.
type tape struct {
	budget *budget
	half   int
	head   []Event
	tail   []Event // a ring once it is full
	oldest int     // where the ring begins
	lost   int
}

func (t *tape) add(e Event) {
	switch {
	case len(t.head) < t.half && len(t.tail) == 0 && t.take():
		t.head = append(t.head, e)
	case t.oldest == 0 && len(t.tail) < t.half && t.take():
		t.tail = append(t.tail, e)
	case len(t.tail) == 0:
		t.lost++ // not even one place was left
	default:
		t.tail[t.oldest] = e
		t.oldest = (t.oldest + 1) % len(t.tail)
		t.lost++
	}
}

func (t *tape) take() bool {
	if t.budget.left <= 0 {
		return false
	}
	t.budget.left--
	return true
}

// events gives all that was kept, in the order in which it came, and where the gap is.
func (t *tape) events() (kept []Event, gap int) {
	kept = append(make([]Event, 0, len(t.head)+len(t.tail)), t.head...)
	kept = append(kept, t.tail[t.oldest:]...)
	return append(kept, t.tail[:t.oldest]...), len(t.head)
}

// release gives the memory back.
func (t *tape) release() {
	t.budget.left += len(t.head) + len(t.tail)
	t.head, t.tail = nil, nil
}
