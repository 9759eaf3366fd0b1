package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"strconv"
)

// The scheduler's events as "perf script" prints them.
var (
	switchLine = regexp.MustCompile(`^\s*([\d.]+):\s+sched:sched_switch: prev_comm=(.*) prev_pid=(\d+) prev_prio=\d+ prev_state=(\S+) ==> next_comm=(.*) next_pid=(\d+) `)
	wakeLine   = regexp.MustCompile(`^\s*([\d.]+):\s+sched:sched_(?:waking|wakeup_new): comm=(.*) pid=(\d+) `)
)

// thread is one thread on its way through the scheduler; times are milliseconds.
type thread struct {
	ours           bool
	ready, on      float64 // since when it waits for a CPU, has one; 0 for not
	runTime, delay float64
}

// account is the time on a CPU and the time runnable without one, in milliseconds.
type account struct{ run, delay float64 }

// replay derives both from the events of "perf sched record", for the threads called name and for one more
// by its number. "perf sched latency" would not do: version 6.1 does not count the waits of preempted threads
// (prev_state R+).
func replay(trace, name string, pid int) (account, error) {
	cmd := exec.Command("perf", "script", "-i", trace, "-F", "time,event,trace")
	out, err := cmd.StdoutPipe()
	if err != nil {
		return account{}, err
	}
	if err := cmd.Start(); err != nil {
		return account{}, fmt.Errorf("perf script: %w", err)
	}
	threads := follow(out, name)
	if err := cmd.Wait(); err != nil {
		return account{}, fmt.Errorf("perf script: %w", err)
	}
	var sum account
	for tid, t := range threads {
		if t.ours || tid == strconv.Itoa(pid) {
			sum.run, sum.delay = sum.run+t.runTime, sum.delay+t.delay
		}
	}
	if sum.run == 0 {
		return account{}, errors.New("perf saw no thread of the work")
	}
	return sum, nil
}

func follow(events io.Reader, name string) map[string]*thread {
	threads := map[string]*thread{}
	get := func(tid, comm string) *thread {
		if threads[tid] == nil {
			threads[tid] = &thread{}
		}
		threads[tid].ours = threads[tid].ours || comm == name
		return threads[tid]
	}
	for scan := bufio.NewScanner(events); scan.Scan(); {
		if m := switchLine.FindStringSubmatch(scan.Text()); m != nil {
			now := millis(m[1])
			get(m[3], m[2]).leave(now, m[4][0] == 'R')
			get(m[6], m[5]).arrive(now)
		} else if m := wakeLine.FindStringSubmatch(scan.Text()); m != nil {
			get(m[3], m[2]).wake(millis(m[1]))
		}
	}
	return threads
}

func (t *thread) leave(now float64, runnable bool) {
	if t.on > 0 {
		t.runTime += now - t.on
	}
	t.on, t.ready = 0, 0
	if runnable {
		t.ready = now
	}
}

func (t *thread) arrive(now float64) {
	if t.ready > 0 {
		t.delay += now - t.ready
	}
	t.on, t.ready = now, 0
}

func (t *thread) wake(now float64) {
	if t.on == 0 && t.ready == 0 {
		t.ready = now
	}
}

func millis(text string) float64 {
	s, _ := strconv.ParseFloat(text, 64)
	return s * 1000
}
