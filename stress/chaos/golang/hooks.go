package golang

// Kinds are the operations at which a goroutine can be held, in the order of their numbers. Point 2k is
// before operation k, point 2k+1 after it.
var kinds = []string{
	"go", "start", "chan.send", "chan.recv", "chan.close", "select", "mutex.lock", "mutex.unlock",
	"rwmutex.rlock", "rwmutex.runlock", "rwmutex.lock", "rwmutex.unlock", "waitgroup.add", "waitgroup.wait",
	"once.do", "cond.wait", "cond.signal", "cond.broadcast", "sleep", "timer.new", "timer.stop", "timer.reset",
	"net.wait", "atomic",
}

// kindNumber is a kind's place in kinds; -1 if there is none.
func kindNumber(name string) int {
	for i, k := range kinds {
		if k == name {
			return i
		}
	}
	return -1
}

// where says on which sides of an operation a goroutine can be held.
type where int

const (
	before where = 1 << iota
	after
	around = before | after
)

// hook is one function of the standard library and what is put into it.
type hook struct {
	// pkg is its package, recv its receiver's type ("" for none).
	pkg, recv, fn string
	kind          string
	where         where
}

// hooks are tried one by one: a function that a version of Go does not have, or has in another shape, costs
// its own hook and no other.
var hooks = append([]hook{
	{"runtime", "", "newproc", "go", after},
	{"runtime", "", "chansend", "chan.send", around},
	{"runtime", "", "chanrecv", "chan.recv", around},
	{"runtime", "", "closechan", "chan.close", around},
	{"runtime", "", "selectgo", "select", around},
	{"runtime", "", "timeSleep", "sleep", around},
	{"runtime", "", "newTimer", "timer.new", after},
	{"runtime", "", "stopTimer", "timer.stop", before},
	{"runtime", "", "resetTimer", "timer.reset", before},
	{"runtime", "", "poll_runtime_pollWait", "net.wait", around},
	{"sync", "Mutex", "Lock", "mutex.lock", around},
	{"sync", "Mutex", "TryLock", "mutex.lock", before},
	{"sync", "Mutex", "Unlock", "mutex.unlock", around},
	{"sync", "RWMutex", "RLock", "rwmutex.rlock", around},
	{"sync", "RWMutex", "RUnlock", "rwmutex.runlock", around},
	{"sync", "RWMutex", "Lock", "rwmutex.lock", around},
	{"sync", "RWMutex", "Unlock", "rwmutex.unlock", around},
	{"sync", "WaitGroup", "Add", "waitgroup.add", around},
	{"sync", "WaitGroup", "Wait", "waitgroup.wait", around},
	{"sync", "Once", "doSlow", "once.do", around},
	{"sync", "Cond", "Wait", "cond.wait", around},
	{"sync", "Cond", "Signal", "cond.signal", around},
	{"sync", "Cond", "Broadcast", "cond.broadcast", around},
}, atomicHooks()...)

// atomicHooks are the methods of sync/atomic's types. The functions of that package are instructions to the
// compiler, and have no body to put anything into.
func atomicHooks() []hook {
	var all []hook
	for _, t := range []string{"Bool", "Int32", "Int64", "Uint32", "Uint64", "Uintptr", "Pointer", "Value"} {
		for _, m := range []string{"Load", "Store", "Swap", "CompareAndSwap", "Add", "And", "Or"} {
			if arithmetic := m == "Add" || m == "And" || m == "Or"; arithmetic && (t == "Bool" || t == "Pointer" || t == "Value") {
				continue
			}
			all = append(all, hook{"sync/atomic", t, m, "atomic", before})
		}
	}
	return all
}
