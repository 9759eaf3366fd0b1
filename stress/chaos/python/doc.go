// Package python makes rare schedules likely inside CPython, where the GIL and not the kernel decides which
// thread runs. A module sitecustomize, found through PYTHONPATH, sets the interpreter's switch interval and
// lets time pass where threads meet: at thread start, locks, conditions, events, queues, futures and
// subprocesses. The project is not changed, and nothing but time passes.
//
// What is drawn is a hash of the seed and the decision's address (chaos.Address): the thread's creation path,
// the kind of operation, the line of the program and how often the thread was there.
package python
