package signature

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// shapeCase is a log and the failures one shape finds in it, each written as "test | message".
type shapeCase struct {
	name string
	log  string
	want []string
}

func runShape(t *testing.T, find func(*log) []Failure, cases []shapeCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, f := range canonical(find(newLog([]byte(c.log)))) {
				got = append(got, strings.TrimSpace(f.Test+" | "+f.Message))
			}
			require.Equal(t, c.want, got)
		})
	}
}

var (
	double = strings.Repeat("=", 70) + "\n"
	single = strings.Repeat("-", 70) + "\n"
)

func TestUnittestShape(t *testing.T) {
	block := func(head, body string) string {
		return double + head + "\n" + single + "Traceback (most recent call last):\n" + body + "\n"
	}
	runShape(t, findUnittest, []shapeCase{
		{"old name", block("FAIL: test_x (m.C)", "AssertionError: a"), []string{"test_x (m.C) | AssertionError: a"}},
		{"new name is the same", block("FAIL: test_x (m.C.test_x)", "AssertionError: a"), []string{"test_x (m.C) | AssertionError: a"}},
		{"subtest", block("FAIL: test_x (m.C) (i=3)", "AssertionError"), []string{"test_x (m.C) (i=3) | AssertionError"}},
		{"docstring", double + "FAIL: test_x (m.C)\nOpens a lane.\n" + single + "Traceback (most recent call last):\nAssertionError: a\n",
			[]string{"test_x (m.C) | AssertionError: a"}},
		{"chain ends with what was not caught", block("ERROR: test_x (m.C)",
			"  File \"a.py\", line 1, in f\nKeyError: 1\n\nDuring handling of the above exception, another exception occurred:\n\n"+
				"Traceback (most recent call last):\n  File \"a.py\", line 2, in f\nValueError: b"),
			[]string{"test_x (m.C) | ValueError: b"}},
		{"another thread's exception in between", block("FAIL: test_x (m.C)", "RuntimeError: gone\nAssertionError: a"),
			[]string{"test_x (m.C) | AssertionError: a"}},
		{"no rules", "FAIL: test_x (m.C)\nAssertionError: a\n", nil},
		{"rule above only", double + "FAIL: test_x (m.C)\nAssertionError: a\n", nil},
		{"not at the line's start", double + "expected FAIL: test_x (m.C)\n" + single, nil},
		{"summary alone", "FAILED (failures=1)\n", nil},
		{"verbose, unfinished", "test_a (m.C) ... ok\ntest_b (m.C.test_b) ... FAIL\n", []string{"test_b (m.C) |"}},
		{"expected failure", "test_a (m.C) ... expected failure\n", nil},
	})
}

func TestRegrtestShape(t *testing.T) {
	runShape(t, findRegrtest, []shapeCase{
		{"several errors", "test test_x failed -- multiple errors occurred; run in verbose mode for details\n", []string{"test_x | failed"}},
		{"one error", "test test_x failed -- Traceback (most recent call last):\n  File \"a.py\", line 1, in test_open\n    f()\nOSError: a\n\ntest_x failed\n",
			[]string{"test_open (test_x) | OSError: a"}},
		{"parallel", "0:00:01 load avg: 1.0 [2/9/1] test_x failed (1 failure)\n", []string{"test_x | failed"}},
		{"crash", "0:00:01 load avg: 1.0 [2/9/1] test_x process crashed (Exit code -11 (SIGSEGV))\n", []string{"test_x | process crashed"}},
		{"environment changed is no failure", "test_x failed (env changed)\n", nil},
		{"passed", "0:00:01 load avg: 1.0 [2/9] test_x passed\n", nil},
	})
}

func TestTracebackShapes(t *testing.T) {
	const plain = "Traceback (most recent call last):\n  File \"/srv/a.py\", line 1, in f\n    g()\nOSError: lost\n"
	runShape(t, findTraceback, []shapeCase{
		{"last of two", plain + strings.ReplaceAll(plain, "lost", "gone"), []string{"| OSError: gone"}},
		{"a thread's is not the program's", "Exception in thread Thread-1:\n" + plain, nil},
		{"no exception", "Traceback (most recent call last):\n  File \"a.py\", line 1, in f\n", nil},
		{"lower case with a module", strings.ReplaceAll(plain, "OSError: lost", "socket.timeout: timed out"), []string{"| socket.timeout: timed out"}},
		{"without a message", strings.ReplaceAll(plain, "OSError: lost", "KeyboardInterrupt"), []string{"| KeyboardInterrupt"}},
	})
	runShape(t, findPythonThread, []shapeCase{
		{"thread", "Exception in thread Thread-1 (work):\n" + plain, []string{"| exception in thread: OSError: lost"}},
		{"program", plain, nil},
		{"mentioned", "no Exception in thread here\n", nil},
	})
}

func TestPytestShape(t *testing.T) {
	const summary = "=========== short test summary info ============\n"
	runShape(t, findPytest, []shapeCase{
		{"summary alone", summary + "FAILED t/a.py::C::test_x[1-b] - OSError: a\n", []string{"t/a.py::C::test_x[1-b] | OSError: a"}},
		{"cut message loses its last piece", summary + "FAILED a.py::test_x - queue has 2 ite...\n", []string{"a.py::test_x | queue has 2"}},
		{"section has the whole message", "___ C.test_x ___\n>   f()\nE   OSError: all of it\n\na.py:3: OSError\n" + summary + "FAILED a.py::C::test_x - OSErr...\n",
			[]string{"a.py::C::test_x | OSError: all of it"}},
		{"teardown", "___ ERROR at teardown of test_x ___\nE   OSError: a\n" + summary + "ERROR a.py::test_x - OSError: a\n",
			[]string{"a.py::test_x | teardown: OSError: a"}},
		{"chain", "___ test_x ___\nE   KeyError: 1\n\nDuring handling of the above exception, another exception occurred:\nE   OSError: b\n\na.py:3: OSError\n",
			[]string{"a.py::test_x | OSError: b"}},
		{"xfail is none", summary + "XFAIL a.py::test_x - boom\n", nil},
		{"outside the summary", "FAILED a.py::test_x - forged\n", nil},
	})
}

func TestGoTestShape(t *testing.T) {
	runShape(t, findGoTest, []shapeCase{
		{"message after", "--- FAIL: TestX (0.00s)\n    a_test.go:1: lost\nFAIL\n", []string{"TestX | a_test.go: lost"}},
		{"message before", "=== RUN   TestX\n    a_test.go:1: lost\n--- FAIL: TestX (0.00s)\n", []string{"TestX | a_test.go: lost"}},
		{"parallel messages go to their tests", "=== NAME  TestA\n    a_test.go:1: lost a\n=== NAME  TestB\n    a_test.go:2: lost b\n--- FAIL: TestA (0.00s)\n--- FAIL: TestB (0.00s)\n",
			[]string{"TestA | a_test.go: lost a", "TestB | a_test.go: lost b"}},
		{"a note is not the complaint", "--- FAIL: TestX (0.00s)\n    a_test.go:1: opening\n    a_test.go:2: got 1, want 2\n    a_test.go:3: closing\n",
			[]string{"TestX | a_test.go: got <n>, want 2"}},
		{"parent of a subtest", "--- FAIL: TestX (0.00s)\n    --- FAIL: TestX/a (0.00s)\n        a_test.go:1: lost\n", []string{"TestX/a | a_test.go: lost"}},
		{"parent with a complaint of its own", "--- FAIL: TestX (0.00s)\n    --- FAIL: TestX/a (0.00s)\n        a_test.go:1: lost\n    a_test.go:9: cannot close\n",
			[]string{"TestX/a | a_test.go: lost"}},
		{"passes of others", "--- PASS: TestA (0.00s)\n--- FAIL: TestX (0.00s)\n--- PASS: TestB (0.00s)\n", []string{"TestX |"}},
		{"race", "--- FAIL: TestX (0.00s)\n    testing.go:1712: race detected during execution of test\n", []string{"TestX |"}},
		{"no time", "--- FAIL: TestX\n", nil},
		{"in a line", "say --- FAIL: TestX (0.00s)\n", nil},
	})
}

func TestGoPanicShape(t *testing.T) {
	const stack = "\ngoroutine 7 [running]:\nmain.work(0xc0001)\n\t/srv/a.go:1 +0x1\n"
	runShape(t, findGoPanic, []shapeCase{
		{"panic", "panic: lost\n" + stack, []string{"| panic: lost"}},
		{"recovered and repanicked", "panic: lost [recovered]\n\tpanic: lost\n" + stack, []string{"| panic: lost"}},
		{"fatal error", "fatal error: concurrent map writes\n" + stack, []string{"| fatal error: concurrent map writes"}},
		{"in a test", "--- FAIL: TestX (0.00s)\npanic: lost\n" + stack, []string{"TestX | panic: lost"}},
		{"in a goroutine of a test", "panic: lost\n" + stack + "created by example.com/p.TestX in goroutine 6\n\t/srv/a_test.go:1\n", []string{"TestX | panic: lost"}},
		{"no stack", "panic: lost\n", nil},
		{"said", "do not panic: lost\n" + stack, nil},
	})
}

func TestGoRaceShape(t *testing.T) {
	race := func(a, b string) string {
		return "WARNING: DATA RACE\n" + a + " at 0x00c000096188 by goroutine 10:\n  p.f()\n      /srv/a.go:4 +0x44\n\nPrevious " + b +
			" at 0x00c000096188 by goroutine 9:\n  runtime.mapassign()\n      /usr/a.go:4 +0x44\n  p.g()\n      /srv/a.go:8 +0x44\n\n==================\n"
	}
	runShape(t, findGoRace, []shapeCase{
		{"pair", race("Read", "write"), []string{"| data race in p.f and p.g"}},
		{"who read is chance", race("Write", "read"), []string{"| data race in p.f and p.g"}},
		{"reported twice", race("Read", "write") + race("Write", "write"), []string{"| data race in p.f and p.g"}},
		{"mentioned", "no WARNING: DATA RACE\n", nil},
	})
}

func TestGtestShape(t *testing.T) {
	runShape(t, findGtest, []shapeCase{
		{"first assertion", "[ RUN      ] A.b\na.cc:1: Failure\nValue of: x\na.cc:2: Failure\nValue of: y\n[  FAILED  ] A.b (0 ms)\n", []string{"A.b | a.cc: Value of: x"}},
		{"Windows", "[ RUN      ] A.b\nC:\\src\\a.cc(12): error: Value of: x\n[  FAILED  ] A.b (0 ms)\n", []string{"A.b | a.cc: Value of: x"}},
		{"listed only", "[  FAILED  ] 1 test, listed below:\n[  FAILED  ] A.b\n", []string{"A.b |"}},
		{"passed", "[ RUN      ] A.b\n[       OK ] A.b (0 ms)\n", nil},
	})
}

func TestTAPShape(t *testing.T) {
	runShape(t, findTAP, []shapeCase{
		{"number is not the name", "not ok 17 - closes\n", []string{"closes |"}},
		{"no number", "not ok - closes\n", []string{"closes |"}},
		{"no name", "not ok 4\n", []string{"| not ok"}},
		{"nested", "    not ok 1 - closes\n", []string{"closes |"}},
		{"todo", "not ok 1 - closes # TODO later\n", nil},
		{"skip", "not ok 1 - closes # skip no net\n", nil},
		{"yaml", "not ok 1 - closes\n  ---\n  message: 'lost'\n  ...\n", []string{"closes | lost"}},
		{"prose", "that is not okay\n", nil},
		{"passed", "ok 1 - not really\n", nil},
	})
}

func TestJUnitShape(t *testing.T) {
	runShape(t, findJUnit, []shapeCase{
		{"failure", `<testsuite><testcase classname="a.B" name="c"><failure message="lost"/></testcase></testsuite>`, []string{"a.B.c | lost"}},
		{"error with its type", `<testsuite><testcase classname="a.B" name="c"><error type="java.io.IOException">gone
	at x</error></testcase></testsuite>`, []string{"a.B.c | IOException: gone"}},
		{"within a log", "starting\n<testsuite><testcase name=\"c\"><failure/></testcase></testsuite>\ndone", []string{"c |"}},
		{"broken entity and tag", `<testsuite><testcase name="c"><failure message="a &nbsp; b & c"/></testcase><br>`, []string{"c | a b & c"}},
		{"skipped", `<testsuite><testcase name="c"><skipped/><failure message="later"/></testcase></testsuite>`, nil},
		{"passed", `<testsuite failures="1"><testcase name="c"/></testsuite>`, nil},
	})
}

func TestNativeShapes(t *testing.T) {
	runShape(t, findAbort, []shapeCase{
		{"assert", "lanes: a.c:12: int open(int): Assertion `n > 0' failed.\n", []string{"| assertion failed: n > 0 in int open(int) (a.c)"}},
		{"assert of musl", "Assertion failed: n > 0 (a.c: open: 12)\n", nil},
		{"heap", "free(): invalid pointer\n", []string{"| free(): invalid pointer"}},
		{"stack", "*** stack smashing detected ***: terminated\n", []string{"| stack smashing detected"}},
		{"exception", "terminate called after throwing an instance of 'E'\n", []string{"| uncaught E"}},
		{"in a test", "[ RUN      ] A.b\nfree(): invalid pointer\n", []string{"A.b | free(): invalid pointer"}},
		{"said", "we saw free(): invalid pointer\n", nil},
	})
	runShape(t, findSanitizer, []shapeCase{
		{"address", "==1==ERROR: AddressSanitizer: stack-overflow on address 0x1 (pc 0x2)\n    #0 0x1 in __interceptor_x a.c:1\n    #1 0x2 in f a.c:1\n",
			[]string{"| AddressSanitizer: stack-overflow in f"}},
		{"undefined", "/srv/a.c:1:2: runtime error: division by zero\n", []string{"| UndefinedBehaviorSanitizer: a.c: division by zero"}},
		{"summary alone", "SUMMARY: AddressSanitizer: x\n", nil},
	})
	runShape(t, findRustPanic, []shapeCase{
		{"new", "thread 'main' (77) panicked at src/a.rs:1:2:\nlost\n", []string{"| panic: a.rs: lost"}},
		{"old", "thread 'main' panicked at 'lost', src/a.rs:1:2\n", []string{"| panic: a.rs: lost"}},
	})
	runShape(t, findShell, []shapeCase{
		{"bash", "bash: line 3: x: command not found\n", []string{"| bash: x: command not found"}},
		{"dash", "/bin/sh: 1: x: not found\n", []string{"| sh: x: not found"}},
		{"no line number", "finish: 1 done\n", nil},
	})
}

func TestJavaAndNodeShapes(t *testing.T) {
	runShape(t, findJava, []shapeCase{
		{"no message", "Exception in thread \"main\" a.b.LostException\n\tat c.D.e(D.java:1)\n", []string{"| LostException"}},
		{"cause", "Exception in thread \"x-1\" a.Wrapped: w\n\tat c.D.e(D.java:1)\nCaused by: a.Root: r\n\tat c.F.g(F.java:1)\n", []string{"| Wrapped caused by Root: r"}},
		{"logged", "WARN Exception in thread \"main\" a.B\n", nil},
	})
	runShape(t, findNode, []shapeCase{
		{"uncaught", "TypeError: x is not a function\n    at f (/srv/a.js:1:2)\n\nNode.js v20.20.2\n", []string{"| TypeError: x is not a function"}},
		{"logged", "TypeError: x is not a function\n    at f (/srv/a.js:1:2)\n", nil},
	})
}

func TestTail(t *testing.T) {
	for _, c := range []struct{ name, log, want string }{
		{"complaint before the end", "lane lost: error 5\nclosing\nbye\n", "lane lost: error 5"},
		{"last line", "opening\nclosing\n", "closing"},
		{"logger's prefix", "2026-03-01 10:00:00,123 ERROR lane gone\n", "lane gone"},
		{"rules and counts say nothing", "quorum gone\n=====\n12\nexit status 1\nmake: *** [all] Error 1\n", "quorum gone"},
		{"nothing", "\n\n", "exit code 1"},
		{"success and a bad exit code", "Ran 3 tests in 0.1s\n\nOK\n", "exit code 1 although the tests passed"},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, failed(c.log).Title) })
	}
}
