package run_test

import (
	"fmt"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"heisen/stress/run"
)

func TestSeedForIsFixed(t *testing.T) {
	// Pinned: a seed printed by one version must mean the same attempt in the next.
	require.Equal(t, uint64(0x88201fb960ff6465), run.SeedFor(0, 0))
	require.Equal(t, run.SeedFor(42, 7), run.SeedFor(42, 7))
	seen := map[uint64]string{}
	for campaign := range uint64(20) {
		for seq := range int64(500) {
			s := run.SeedFor(campaign, seq)
			require.Empty(t, seen[s], "collision with %d/%d", campaign, seq)
			seen[s] = fmt.Sprint(campaign, "/", seq)
		}
	}
}

func TestEnvironAndExpandSayTheSame(t *testing.T) {
	a := run.Attempt{Seq: 12, Slot: 3, Seed: 1<<64 - 1, PortBase: 20480, Temp: "/tmp/x y"}
	require.Equal(t, []string{"TMPDIR=/tmp/x y", "HEISEN_ATTEMPT=12", "HEISEN_SLOT=3",
		"HEISEN_SEED=18446744073709551615", "HEISEN_PORT_BASE=20480"}, a.Environ())
	require.Equal(t, "/tmp/x y,12,3,18446744073709551615,20480", a.Expand("{tmp},{attempt},{slot},{seed},{port}"))
	require.Equal(t, "{other} {attempt", a.Expand("{other} {attempt"), "what is no placeholder stays")
}

func TestExpandIsNotRecursive(t *testing.T) {
	a := run.Attempt{Seq: 1, Temp: "/tmp/{attempt}"}
	require.Equal(t, "/tmp/{attempt}", a.Expand("{tmp}"))
}

func TestOutputBytesKeepsTheOrder(t *testing.T) {
	o := run.Output{
		Head: []run.Chunk{{Stream: run.Stdout, Data: []byte("a")}, {Stream: run.Stderr, Data: []byte("b\x00")}},
		Tail: []run.Chunk{{Stream: run.Stdout, Data: []byte("c")}},
	}
	require.Equal(t, "ab\x00c", string(o.Bytes()))
	require.Equal(t, []byte{}, (&run.Output{}).Bytes())
}

func TestKeptTranslatesAnOffset(t *testing.T) {
	o := run.Output{Head: []run.Chunk{{Data: []byte("ab")}, {Data: []byte("cd")}}, Tail: []run.Chunk{{Data: []byte("xyz")}}, Total: 17, Omitted: 10}
	for at, want := range map[int64]int{-1: -1, 0: 0, 3: 3, 4: 4, 9: 4, 14: 4, 15: 5, 17: 7} {
		require.Equal(t, want, o.Kept(at), "offset %d", at)
	}
}

func TestAutomaticTimeout(t *testing.T) {
	auto := run.TimeoutPolicy{}
	require.Equal(t, 10*time.Minute, auto.At(run.AutoTimeoutPasses-1, time.Millisecond), "not known yet")
	require.Equal(t, 30*time.Second, auto.At(run.AutoTimeoutPasses, time.Millisecond), "never below the least")
	require.Equal(t, 100*time.Second, auto.At(run.AutoTimeoutPasses, 5*time.Second))
	require.Equal(t, 7*time.Second, run.TimeoutPolicy{Fixed: 7 * time.Second}.At(1000, time.Hour))
}

func TestControlIsAStateNotAQueue(t *testing.T) {
	c := run.NewControl(run.Orders{Timeout: time.Second})
	_, changed := c.Watch()
	c.Change(func(o *run.Orders) { o.Paused = true })
	c.Change(func(o *run.Orders) { o.Stop = run.StopNow })
	<-changed
	got, changed := c.Watch()
	require.Equal(t, run.Orders{Timeout: time.Second, Paused: true, Stop: run.StopNow}, got)
	select {
	case <-changed:
		t.Fatal("woken without a change")
	default:
	}
}

func TestControlDoesNotWakeForNothing(t *testing.T) {
	c := run.NewControl(run.Orders{})
	_, changed := c.Watch()
	c.Change(func(o *run.Orders) { o.Stop = run.StopNot })
	select {
	case <-changed:
		t.Fatal("woken without a change")
	default:
	}
}

func TestControlWakesEveryWatcher(t *testing.T) {
	c := run.NewControl(run.Orders{})
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			for {
				orders, changed := c.Watch()
				if orders.Stop == run.StopNow {
					return
				}
				<-changed
			}
		})
	}
	c.Change(func(o *run.Orders) { o.Stop = run.StopGently })
	c.Change(func(o *run.Orders) { o.Stop = run.StopNow })
	all.Wait()
}

func TestFaultOf(t *testing.T) {
	require.Contains(t, run.FaultOf(fmt.Errorf("start: %w", syscall.EMFILE)), "file descriptors")
	require.Contains(t, run.FaultOf(fmt.Errorf("write: %w", syscall.ENOSPC)), "disk")
	require.Empty(t, run.FaultOf(syscall.ENOENT))
	require.Empty(t, run.FaultOf(nil))
}

func TestDecodeNeverPanics(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		_, _ = run.Decode([]byte(rapid.String().Draw(t, "line")))
	})
}
