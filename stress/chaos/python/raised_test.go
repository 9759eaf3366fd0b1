package python

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/stress/chaos"
)

const interrupted = `import signal, sys, threading
class Late(Exception): pass
def late(*_): raise %s
signal.signal(signal.SIGALRM, late)
lock, caught = threading.Lock(), 0
try:
    signal.setitimer(signal.ITIMER_REAL, 0.02)
    with lock: pass
    while True: signal.pause()
except %s:
    caught += 1
assert caught == 1 and not lock.locked(), (caught, lock)
print("right")
`

// What a signal handler raises while a thread is held at a point comes to the program, with the lock as a real one
// would be then.
func TestWhatAHandlerRaisesIsNotSwallowed(t *testing.T) {
	for _, what := range []string{"Late", "TimeoutError"} {
		script := filepath.Join(t.TempDir(), "interrupted.py")
		require.NoError(t, os.WriteFile(script, fmt.Appendf(nil, interrupted, what, what), 0o600))
		for _, kind := range []string{"lock.acquire.entry", "lock.acquire.exit", "lock.release.entry", "lock.release.exit"} {
			plan := always(nil)
			at := chaos.Address{Thread: "0", Kind: kind, Site: script + ":8", N: 1}
			plan.Replay, plan.Decisions = true, []chaos.Decision{{Address: at, Hold: 300 * time.Millisecond}}
			out, r, err := attempt{t: t, python: newest(t), plan: plan}.run(script)
			require.NoError(t, err, "%s: %s", kind, out)
			require.Equal(t, "right\n", out)
			require.Empty(t, r.Notes, kind)
			require.EqualValues(t, 1, r.Chaos.Made, kind)
		}
	}
}

const async = `import threading, time
try:
    import ctypes
except ImportError:
    print("right")
    raise SystemExit
class Stop(Exception): pass
inside, caught, event = [], [], threading.Event()
def work():
    try:
        inside.append(1)
        event.set()
        for _ in range(20000): time.sleep(0.0005)
    except Stop:
        caught.append(1)
t = threading.Thread(target=work)
t.start()
while not inside: time.sleep(0.0005)
assert ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(t.ident), ctypes.py_object(Stop)) == 1
t.join()
assert caught
print("right")
`

// So does what another thread raises in one that is held.
func TestWhatAThreadRaisesIsNotSwallowed(t *testing.T) {
	script := filepath.Join(t.TempDir(), "async.py")
	require.NoError(t, os.WriteFile(script, []byte(async), 0o600))
	plan := always(nil)
	at := chaos.Address{Thread: "0.1", Kind: "event.set.entry", Site: script + ":12", N: 1}
	plan.Replay, plan.Decisions = true, []chaos.Decision{{Address: at, Hold: 300 * time.Millisecond}}
	out, r, err := attempt{t: t, python: newest(t), plan: plan}.run(script)
	require.NoError(t, err, out)
	require.Equal(t, "right\n", out)
	require.Empty(t, r.Notes)
}
