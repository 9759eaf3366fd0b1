package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// program is one that should pass under any schedule.
type program struct {
	name string
	line []string
	dir  string
	// chaos is what it is run under, "" for auto.
	chaos string
	skip  string // why it cannot be run here
}

// nodeProgram and jvmProgram use threads, timers and queues, and are right whatever the schedule is.
const (
	nodeProgram = `const {Worker,isMainThread,parentPort,workerData}=require('worker_threads');const fs=require('fs');
const code="const {parentPort,workerData}=require('worker_threads');let s=0;for(let i=0;i<1e5;i++)s+=i%7;parentPort.postMessage(workerData*s)";
let left=4,sum=0;for(let i=1;i<=4;i++){new Worker(code,{eval:true,workerData:i}).on('message',m=>{sum+=m}).on('exit',()=>{if(--left==0)process.exit(sum>0?0:1)})}`
	jvmProgram = `import java.util.concurrent.*;
public class Sum { public static void main(String[] a) throws Exception {
 ExecutorService pool = Executors.newFixedThreadPool(4); BlockingQueue<Integer> q = new ArrayBlockingQueue<>(3); CountDownLatch done = new CountDownLatch(4);
 for (int t = 0; t < 4; t++) pool.submit(() -> { for (int i = 0; i < 50; i++) { try { q.put(i); } catch (InterruptedException e) {} } done.countDown(); });
 int sum = 0; for (int i = 0; i < 200; i++) sum += q.take(); done.await(); pool.shutdown();
 System.exit(sum == 4 * 1225 && pool.awaitTermination(60, TimeUnit.SECONDS) ? 0 : 1); } }`
)

func programs(o options) []program {
	list := append(cpython(o), node(o), jvm(o))
	for _, pkg := range []string{"stress/run", "stress/stats", "stress/tally", "stress/journal", "reports", "repro/signature"} {
		list = append(list, own(o, pkg))
	}
	for _, m := range []string{"golang.org/x/sync@v0.20.0", "github.com/jackc/puddle/v2@v2.2.2", "github.com/gorilla/websocket@v1.5.3"} {
		list = append(list, module(m))
	}
	for _, pkg := range []string{"sync", "sync/atomic", "context", "time", "net/http", "runtime"} {
		list = append(list, standard(o, pkg))
	}
	return append(list, pytest(o))
}

func cpython(o options) (list []program) {
	home, _ := os.UserHomeDir()
	for _, version := range []string{"3.12"} {
		found, _ := filepath.Glob(filepath.Join(home, ".pyenv/versions", version+".*", "bin/python3"))
		for _, test := range []string{"test_threading", "test_queue", "test_subprocess", "test_signal"} {
			p := program{name: "CPython " + version + " " + test, dir: o.temp}
			if len(found) == 0 {
				p.skip = "no such CPython in ~/.pyenv"
			} else {
				// Copies of some of these tests meet in a file of the working folder.
				p.line = []string{"sh", "-c", `cd "$TMPDIR" && exec "$0" "$@"`, found[0], "-m", "unittest", "-q", "test." + test}
			}
			list = append(list, p)
		}
	}
	return list
}

func node(o options) program {
	p := program{name: "Node, four workers", dir: o.temp}
	path, err := exec.LookPath("node")
	if err != nil {
		p.skip = "no node in PATH"
		return p
	}
	p.line = []string{path, "-e", nodeProgram}
	return p
}

func jvm(o options) program {
	p := program{name: "JVM, a pool and a queue", dir: o.temp}
	file := filepath.Join(o.temp, "Sum.java")
	if err := os.WriteFile(file, []byte(jvmProgram), 0o600); err != nil {
		p.skip = err.Error()
		return p
	}
	if out, err := exec.Command("javac", "-d", o.temp, file).CombinedOutput(); err != nil {
		p.skip = strings.TrimSpace("no javac that works: " + string(out) + err.Error())
		return p
	}
	p.line = []string{"java", "-cp", o.temp, "Sum"}
	return p
}

// own is a package of this module, built once.
func own(o options, pkg string) program {
	p := program{name: "heisen/" + pkg, dir: pkg}
	binary := filepath.Join(o.temp, strings.ReplaceAll(pkg, "/", "_")+".test")
	if out, err := exec.Command("go", "test", "-c", "-o", binary, "./"+pkg).CombinedOutput(); err != nil {
		p.skip = fmt.Sprintf("not built: %s", out)
		return p
	}
	p.line = []string{binary, "-test.short"}
	return p
}

// module is a module of the proxy's, with all its tests.
func module(name string) program {
	p := program{name: "go test of " + name, line: []string{"go", "test", "./..."}}
	out, err := exec.Command("go", "mod", "download", "-json", name).Output()
	var got struct{ Dir, Error string }
	if decoded := json.Unmarshal(out, &got); err != nil || decoded != nil {
		p.skip = fmt.Sprintf("not downloaded: %v %s", err, got.Error)
	}
	p.dir = got.Dir
	return p
}

// leftOut are tests of the standard library that cannot hold with the other runtime, and why.
var leftOut = map[string]map[string]string{
	"runtime": {"TestSizeof": "a goroutine has a part that is heisen's"},
}

// standard is a package of the standard library under the other runtime, with the tests that hold there.
func standard(o options, pkg string) program {
	p := program{name: "Go's own tests of " + pkg, dir: o.temp, chaos: "go-hold,go-starve,go-yield", line: []string{"go", "test", "-short"}}
	if names := slices.Sorted(maps.Keys(leftOut[pkg])); len(names) > 0 {
		p.line = append(p.line, "-skip=^("+strings.Join(names, "|")+")$")
	}
	p.line = append(p.line, pkg)
	return p
}

// pytest is the part of the test-suite in Debian's python3-dask that runs threads, with what is built on it.
func pytest(o options) program {
	p := program{name: "pytest of dask's schedulers", dir: o.temp}
	const python, suite = "/usr/bin/python3", "/usr/lib/python3/dist-packages/dask/tests"
	if err := exec.Command(python, "-c", "import pytest, dask").Run(); err != nil {
		p.skip = "no pytest or dask: apt-get install python3-pytest python3-dask"
		return p
	}
	p.line = []string{python, "-m", "pytest", "-q", "-p", "no:cacheprovider"}
	for _, name := range []string{"threaded", "local", "callbacks", "context", "core", "delayed"} {
		p.line = append(p.line, filepath.Join(suite, "test_"+name+".py"))
	}
	return p
}
