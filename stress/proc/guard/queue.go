package guard

import "slices"

// push appends a command to those that wait. Whether the job runs is a state: a later Suspend or Resume
// replaces one that waits, and a later Resize likewise, so a storm of signals cannot fill the queue.
func push(queue []Command, c Command) []Command {
	if kind := state(c); kind != 0 {
		queue = slices.DeleteFunc(queue, func(old Command) bool { return state(old) == kind })
	}
	return append(queue, c)
}

// state tells which state a command sets, 0 for a command that must never be dropped.
func state(c Command) int {
	switch c.(type) {
	case Suspend, Resume:
		return 1
	case Resize:
		return 2
	}
	return 0
}

// pump moves commands from in to out until done, and is always ready to receive: whoever reads signals or
// a socket must not be held up by a slow consumer.
func pump(in <-chan Command, out chan<- Command, done <-chan struct{}) {
	var queue []Command
	for {
		var next Command
		ready := chan<- Command(nil)
		if len(queue) > 0 {
			next, ready = queue[0], out
		}
		select {
		case c := <-in:
			queue = push(queue, c)
		case ready <- next:
			queue = queue[1:]
		case <-done:
			return
		}
	}
}
