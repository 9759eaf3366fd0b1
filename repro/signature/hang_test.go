package signature

import (
	"testing"

	"github.com/stretchr/testify/require"
)

const goDump = `SIGQUIT: quit
PC=0x40866e m=0 sigcode=0

goroutine 1 gp=0xc0000021c0 m=nil [chan receive, 5 minutes]:
runtime.gopark(0x483bbd?, 0x13a3e5d7ce88?)
	/usr/local/go/src/runtime/proc.go:462 +0xce
main.(*pool).drain(0xc00001)
	/srv/pool.go:9 +0x14f
main.main()
	/srv/main.go:9 +0x14f

goroutine 18 [select]:
main.(*pool).work(0xc00001)
	/srv/pool.go:30 +0x14f
created by main.newPool in goroutine 1
	/srv/pool.go:3 +0x14f
`

const goTestDump = `SIGQUIT: quit

goroutine 1 [chan receive]:
testing.(*T).Run(0xc0000, {0x1, 0x2}, 0x3)
	/usr/local/go/src/testing/testing.go:1 +0x1
testing.tRunner(0xc0000, 0xc0001)
	/usr/local/go/src/testing/testing.go:1 +0x1
main.main()
	_testmain.go:46 +0x9b

goroutine 7 [chan receive]:
testing.(*T).Parallel(0xc0000)
	/usr/local/go/src/testing/testing.go:1 +0x1
example.com/q.TestWaits(0xc0000)
	/srv/q_test.go:1 +0x1
testing.tRunner(0xc0000, 0xc0001)
	/usr/local/go/src/testing/testing.go:1 +0x1

goroutine 8 [sync.Mutex.Lock]:
sync.(*Mutex).Lock(...)
	/usr/local/go/src/sync/mutex.go:46
example.com/q.(*queue[...]).take(0xc0000)
	/srv/q.go:1 +0x1
example.com/q.TestTake.func1(0xc0000)
	/srv/q_test.go:1 +0x1
testing.tRunner(0xc0000, 0xc0001)
	/usr/local/go/src/testing/testing.go:1 +0x1
created by testing.(*T).Run in goroutine 1
	/usr/local/go/src/testing/testing.go:1 +0x1
`

const pythonDump = `Thread 0x00007f92ecc876c0 (most recent call first):
  File "/usr/lib/python3.8/threading.py", line 302 in wait
  File "/srv/pool.py", line 8 in work

Current thread 0x00007f92edf8cb80 (most recent call first):
  File "/usr/lib/python3.8/threading.py", line 1027 in _wait_for_tstate_lock
  File "/usr/lib/python3.8/threading.py", line 1011 in join
  File "/srv/test_pool.py", line 6 in test_join
  File "/usr/lib/python3.8/unittest/case.py", line 633 in _callTestMethod
`

const javaDump = `Full thread dump OpenJDK 64-Bit Server VM:

"worker" #12 prio=5
   java.lang.Thread.State: RUNNABLE
	at com.example.Pool.work(Pool.java:8)

"main" #1 prio=5 os_prio=0 cpu=30.81ms elapsed=2.00s tid=0x00007f4314017ed0 nid=0x5e97
   java.lang.Thread.State: WAITING (parking)
	at jdk.internal.misc.Unsafe.park(java.base@17.0.15/Native Method)
	- parking to wait for  <0x000000069e019fe8> (a java.util.concurrent.CountDownLatch$Sync)
	at java.util.concurrent.CountDownLatch.await(java.base@17.0.15/CountDownLatch.java:230)
	at com.example.Pool.drain(Pool.java:8)
	at com.example.Main.main(Main.java:3)
`

func TestHangByDump(t *testing.T) {
	for _, c := range []struct{ name, before, dump, want string }{
		{"go program", "serving\n", goDump, "timeout: chan receive in main.(*pool).drain < main.main"},
		{"go test", "", goTestDump, "TestTake: timeout: sync.Mutex.Lock in q.(*queue[...]).take < q.TestTake.func1"},
		{"python", "lane 1\n", pythonDump, "timeout: threading.py _wait_for_tstate_lock < test_pool.py test_join"},
		{"jvm", "waiting\n", javaDump, "timeout: waiting (parking) in com.example.Pool.drain < com.example.Main.main"},
		{"a test is running", "[ RUN      ] Lane.Open\n", "", "Lane.Open: timeout"},
		{"a test is running, and a dump", "=== RUN   TestX\n", goDump, "TestX: timeout: chan receive in main.(*pool).drain < main.main"},
		{"finished tests do not count", "=== RUN   TestX\n--- PASS: TestX (0.00s)\nbye\n", "", "timeout: bye"},
		{"unittest's open line", "test_x (m.C.test_x) ... ", "", "test_x (m.C): timeout"},
		{"last line", "lane 3 open\nwaiting for pid 4711\n\n", "", "timeout: waiting for pid <n>"},
		{"nothing", "", "", "timeout without output"},
		{"what the shell says of the signal", "waiting\n", "Quit (core dumped)\n", "timeout: waiting"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := hung(c.before, c.dump)
			require.Equal(t, c.want, s.Title)
			require.False(t, s.Hang, "a hang alone is the failure, not beside it")
		})
	}
}

func TestHangWithoutAMarkForItsDump(t *testing.T) {
	marked := hung("serving\n", goDump)
	unmarked := hung("serving\n"+goDump, "")
	require.Equal(t, marked.ID, unmarked.ID)
}

func TestHangAfterAFailureIsThatFailure(t *testing.T) {
	text := "not ok 1 - drains\n"
	s := hung(text, pythonDump)
	require.True(t, s.Hang)
	require.Equal(t, failed(text).ID, s.ID)
	require.Equal(t, failed(text).Title, s.Title)
	require.False(t, failed(text).Hang)
}

// TestHangIsNotNamedAfterItsDump: what the killed process prints is not what failed.
func TestHangIsNotNamedAfterItsDump(t *testing.T) {
	s := hung("waiting\n", "not ok 1 - drains\n")
	require.Equal(t, "timeout: waiting", s.Title)
}

func TestHangAfterALoggedErrorIsAHang(t *testing.T) {
	logged := "Traceback (most recent call last):\n  File \"a.py\", line 1, in f\n    g()\nOSError: lost\nretrying\n"
	require.Equal(t, "timeout: retrying", hung(logged, "").Title)
	require.False(t, hung(logged, "").Hang)
	thread := "Exception in thread Thread-4:\n" + logged
	require.True(t, hung(thread, "").Hang, "an exception that ended a thread is a failure")
}
