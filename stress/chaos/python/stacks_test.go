package python

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"heisen/stress/chaos"
)

const waker = `import threading
def work():
    done.wait()
started, done = threading.Event(), threading.Event()
def main():
    t = threading.Thread(target=work, name="worker")
    t.start()
    done.set()
    t.join()
main()
print("right")
`

// The stacks of all threads are taken where the plan says it, once, and name the program's lines.
func TestStacksAreTakenWhileAThreadIsHeld(t *testing.T) {
	script := filepath.Join(t.TempDir(), "waker.py")
	require.NoError(t, os.WriteFile(script, []byte(waker), 0o600))
	held := chaos.Address{Thread: "0.1", Kind: "event.set.exit", Site: "-", N: 1}
	other := chaos.Address{Thread: "0", Kind: "thread.start.exit", Site: script + ":7", N: 1}
	for name, at := range map[string]chaos.Address{"another thread comes to a point": other, "a hold is over": held} {
		t.Run(name, func(t *testing.T) {
			plan := always(nil)
			plan.Replay, plan.Stacks = true, &at
			// Main is kept from coming to its point before the other one is held.
			late := chaos.Address{Thread: "0", Kind: "event.wait.exit", Site: script + ":7", N: 1}
			plan.Decisions = []chaos.Decision{{Address: held, Hold: 300 * time.Millisecond}, {Address: late, Hold: 100 * time.Millisecond}}
			for _, python := range interpreters(t) {
				if !modern(t, python) {
					continue
				}
				var r chaos.Report
				for tries := 0; len(r.Stacks) == 0; tries++ { // a machine that stands still for so long can undo that
					require.Less(t, tries, 20, "%s: %s", python, r.NoStacks)
					var out string
					var err error
					out, r, err = attempt{t: t, python: python, plan: plan}.run(script)
					require.NoError(t, err, out)
					require.Equal(t, "right\n", out)
				}
				require.Empty(t, r.NoStacks)
				require.Zero(t, r.Dropped)
				require.Len(t, r.Stacks, 2)
				require.EqualValues(t, 2, r.Chaos.Made)
				require.Equal(t, "0.1", r.Stacks[0].Thread, "held threads come first")
				require.True(t, r.Stacks[0].Held)
				require.Equal(t, "worker, made to run work at "+script+":2", r.Stacks[0].Name)
				frames := strings.Join(r.Stacks[0].Frames, "\n")
				require.Contains(t, frames, "threading.py:")
				require.NotContains(t, frames, "heisen_hooks")
				require.Equal(t, "0", r.Stacks[1].Thread)
				if at == other {
					require.Contains(t, r.Stacks[1].Frames, "main at "+script+":7")
				}
			}
		})
	}
}

// Without a thread that is held the moment is another one, and that is said.
func TestNoStacksWhereNothingIsHeld(t *testing.T) {
	script := filepath.Join(t.TempDir(), "waker.py")
	require.NoError(t, os.WriteFile(script, []byte(waker), 0o600))
	plan := always(nil)
	plan.Replay, plan.Stacks = true, &chaos.Address{Thread: "0", Kind: "thread.start.exit", Site: script + ":7", N: 1}
	_, r, err := attempt{t: t, python: newest(t), plan: plan}.run(script)
	require.NoError(t, err)
	require.Empty(t, r.Stacks)
	require.Equal(t, "no thread came to that point while one was held", r.NoStacks)
}
