package tracer

// What a process does alone before the test proper is let through: an interpreter reads and opens hundreds of files
// before it gets to the test, and holding those only spends the budget. The part before ends, for each process
// image, with the first thing it does that others can see.

// ends tells whether a call ends it.
func (k kind) endsPrelude(args *[6]uint64) bool {
	switch k {
	case clone, output, prelude, socketOpen, signalSend, fileCreate, fileRename, fileUnlink, lock:
		return true
	case write:
		return args[0] == 1 || args[0] == 2
	}
	return false
}

// always tells whether a point is a place to hold even in the part before: threads and processes start there.
func (p point) always() bool {
	switch p.kind() {
	case clone, threadStart:
		return true
	}
	return false
}
