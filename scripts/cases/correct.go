package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// program is one that should pass under any schedule.
type program struct {
	name string
	line []string
	dir  string
	skip string // why it cannot be run here
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
	var list []program
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
	list = append(list, node(o), jvm(o))
	for _, pkg := range []string{"stress/run", "stress/stats", "stress/tally", "stress/journal", "reports", "repro/signature"} {
		list = append(list, own(o, pkg))
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

func correctTable(o options) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "Correct programs, at most %d attempts or %v each, plain and with --chaos auto in turn, %d CPUs, %s\n\n| program | plain: failed of, harness | chaos: failed of, harness |\n| --- | --- | --- |\n",
		o.runs, 4*o.limit, runtime.NumCPU(), time.Now().UTC().Format("2006-01-02"))
	for _, p := range programs(o) {
		if o.only != "" && !slices.ContainsFunc(strings.Split(o.only, ","), func(part string) bool { return strings.Contains(p.name, part) }) {
			continue
		}
		fmt.Fprintf(os.Stderr, "%s %s\n", time.Now().Format("15:04:05"), p.name)
		if p.skip != "" {
			fmt.Fprintf(&b, "| %s | skipped: %s | |\n", p.name, p.skip)
			continue
		}
		row := "| " + p.name
		for _, chaos := range []string{"off", "auto"} {
			h := o.hunt(p.line, p.dir, chaos, 1, "--runs", fmt.Sprint(o.runs), "--for", (4 * o.limit).String())
			if h.problem != "" {
				row += " | no figures: " + h.problem
				continue
			}
			row += fmt.Sprintf(" | %d of %d, %d%s", h.failures, h.judged, h.harness, h.titles)
		}
		b.WriteString(row + " |\n")
		fmt.Fprintln(os.Stderr, row+" |") // what is known is not lost where the rest is not waited for
	}
	return b.String(), nil
}
