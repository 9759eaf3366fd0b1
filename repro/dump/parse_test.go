package dump

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"heisen/stress/chaos"
)

const goDump = `=== RUN   TestX
SIGQUIT: quit
PC=0x47a021 m=0 sigcode=0

goroutine 7 [chan receive, 2 minutes]:
example.com/p.(*Pool).wait(0xc000012345, {0x0, 0x1})
	/src/p/pool.go:41 +0x5d
example.com/p.TestX.func1()
	/src/p/pool_test.go:12 +0x25
created by example.com/p.TestX in goroutine 6
	/src/p/pool_test.go:11 +0x8c

rax    0xca
`

const javaDump = `Full thread dump OpenJDK 64-Bit Server VM (17.0.1 mixed mode):

"main" #1 prio=5 os_prio=0 cpu=40.12ms elapsed=1.01s tid=0x00007f1 nid=0x12 waiting on condition  [0x00007f2]
   java.lang.Thread.State: TIMED_WAITING (sleeping)
	at java.lang.Thread.sleep(java.base@17.0.1/Native Method)
	- waiting on <0x01> (a java.lang.Object)
	at com.example.PoolTest$Inner.run(PoolTest.java:17)

"VM Thread" os_prio=0 cpu=1.0ms elapsed=1.0s tid=0x00007f3 nid=0x14 runnable
`

const pythonDump = `Fatal Python error: Aborted

Thread 0x00007f46f5ffb700 (most recent call first):
  File "/usr/lib/python3.8/threading.py", line 558 in wait
  File "/src/t.py", line 3 in <lambda>

Current thread 0x00007f46f (most recent call first):
  File "/src/t.py", line 9 in <module>
`

const gdbDump = `[New LWP 5314]
__GI___libc_write (nbytes=1, buf=0x557ff72c4004, fd=4) at ../sysdeps/unix/sysv/linux/write.c:26

Thread 2 (Thread 0x7f56db4a06c0 (LWP 5314) "p"):
#0  __GI___libc_read (nbytes=1, buf=0x7f, fd=3) at ../sysdeps/unix/sysv/linux/read.c:26
#1  0x0000557ff72c31b6 in waits () at /src/p.c:5
#2  0x00007f56db52d1f5 in start_thread () from /lib/libpthread.so.0

[Inferior 1 (process 5313) detached]
`

func TestParse(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []chaos.Stack
	}{
		"go": {goDump, []chaos.Stack{{Name: "goroutine 7 [chan receive, 2 minutes]", Frames: []string{
			"example.com/p.(*Pool).wait at /src/p/pool.go:41", "example.com/p.TestX.func1 at /src/p/pool_test.go:12", "example.com/p.TestX at /src/p/pool_test.go:11"}}}},
		"java": {javaDump, []chaos.Stack{{Name: "main", Frames: []string{
			"java.lang.Thread.sleep at java.base@17.0.1/Native Method", "com.example.PoolTest$Inner.run at PoolTest.java:17"}}}},
		"python": {pythonDump, []chaos.Stack{
			{Name: "Thread 0x00007f46f5ffb700", Frames: []string{"wait at /usr/lib/python3.8/threading.py:558", "<lambda> at /src/t.py:3"}},
			{Name: "Current thread 0x00007f46f", Frames: []string{"<module> at /src/t.py:9"}}}},
		"gdb": {gdbDump, []chaos.Stack{{Name: `Thread 2 (Thread 0x7f56db4a06c0 (LWP 5314) "p")`, Frames: []string{
			"__GI___libc_read at ../sysdeps/unix/sysv/linux/read.c:26", "waits at /src/p.c:5", "start_thread at /lib/libpthread.so.0"}}}},
		"nothing":         {"Thread 1 is late\n#0 is no frame\n\tat home\n", nil},
		"Windows' ends":   {strings.ReplaceAll(pythonDump[:strings.Index(pythonDump, "Current")], "\n", "\r\n"), []chaos.Stack{{Name: "Thread 0x00007f46f5ffb700", Frames: []string{"wait at /usr/lib/python3.8/threading.py:558", "<lambda> at /src/t.py:3"}}}},
		"a head, no more": {`"main" #1 tid=0x1`, nil},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.want, Parse([]byte(c.text))) })
	}
}

func TestParseIsBounded(t *testing.T) {
	one := "goroutine 1 [running]:\n" + strings.Repeat("main.f()\n\t/a.go:1 +0x1\n", 3*chaos.MostFrames) + "\n"
	got := Parse([]byte(strings.Repeat(one, 3*chaos.MostStacks)))
	require.Len(t, got, chaos.MostStacks)
	require.Len(t, got[0].Frames, chaos.MostFrames)
}

// Whatever a program printed, what is read of it is bounded and has frames.
func FuzzParse(f *testing.F) {
	for _, text := range []string{goDump, javaDump, pythonDump, gdbDump} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got := Parse(data)
		require.LessOrEqual(t, len(got), chaos.MostStacks)
		for _, s := range got {
			require.NotEmpty(t, s.Frames)
			require.LessOrEqual(t, len(s.Frames), chaos.MostFrames)
		}
	})
}
