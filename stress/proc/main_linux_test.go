package proc

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"heisen/stress/cpus"
	"heisen/stress/run"
)

// playVariable names the helper program that the test binary plays instead of running tests.
const playVariable = "HEISEN_PROC_PLAY"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == ExecCommand {
		fmt.Fprintln(os.Stderr, Exec(os.Args[2:]))
		os.Exit(111)
	}
	if name := os.Getenv(playVariable); name != "" {
		os.Exit(play(name, os.Args[1:]))
	}
	os.Exit(m.Run())
}

// play is the helper programs: each does one thing a test may do to its supervisor.
func play(name string, args []string) int {
	switch name {
	case "environ": // print the environment, arguments and working folder
		dir, _ := os.Getwd()
		fmt.Println("dir=" + dir)
		fmt.Println("args=" + strings.Join(os.Args, "|"))
		fmt.Println(strings.Join(os.Environ(), "\n"))
	case "session": // print what the supervisor set for us
		sid, _, _ := syscall.Syscall(syscall.SYS_GETSID, 0, 0, 0)
		var files, core syscall.Rlimit
		_ = syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files)
		_ = syscall.Getrlimit(syscall.RLIMIT_CORE, &core)
		fmt.Println(os.Getpid(), syscall.Getpgrp(), sid, core.Cur)
	case "alternate": // write bytes to both streams in turn
		n, _ := strconv.Atoi(args[0])
		for i := range n {
			fmt.Fprint([]*os.File{os.Stdout, os.Stderr}[i%2], "x")
		}
	case "role1":
		fmt.Println("sleeping")
		time.Sleep(time.Hour)
	case "role2":
		return daemonize("3020")
	case "zombie": // leave a child that is over and not reaped
		pid, err := syscall.ForkExec("/bin/true", []string{"true"}, &syscall.ProcAttr{})
		if err == nil {
			err = unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	case "tty": // supervise a test that opens the terminal; args[0] is "shared" for no session of its own
		return playSupervisor(switches{session: args[0] == "shared"}, "exec 3</dev/tty && echo opened")
	case "ignored": // supervise a test that prints which signals it ignores
		return playSupervisor(switches{signals: args[0] == "inherit"}, "grep SigIgn /proc/self/status")
	case "orphan": // supervise a test, and be killed in the middle of it
		return playSupervisor(switches{cgroup: args[0] == "D"}, args[1])
	case "reuse": // as the first process of a PID namespace
		return playReuse()
	case "sleep":
		time.Sleep(time.Hour)
	case "affinity": // print which CPUs we may use
		list, _ := cpus.Allowed()
		fmt.Println(list)
	case "burn": // use that many milliseconds of CPU time, on as many threads as there are CPUs
		ms, _ := strconv.Atoi(args[0])
		burn(time.Duration(ms) * time.Millisecond)
	case "eat": // touch memory until killed
		var kept [][]byte
		for {
			block := make([]byte, 1<<20)
			for i := 0; i < len(block); i += 4096 {
				block[i] = 1
			}
			kept = append(kept, block)
			if most, _ := strconv.Atoi(args[0]); len(kept) > most {
				return 3
			}
		}
	default:
		fmt.Fprintln(os.Stderr, "unknown helper", name)
		return 112
	}
	return 0
}

// burn computes on every CPU until this process has had that much CPU time.
func burn(target time.Duration) {
	var over atomic.Bool
	var others sync.WaitGroup
	for range runtime.NumCPU() - 1 {
		others.Go(func() {
			for !over.Load() {
			}
		})
	}
	for used := (unix.Timespec{}); used.Nano() < int64(target); {
		if unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &used) != nil {
			break
		}
	}
	over.Store(true)
	others.Wait()
}

// daemonize starts a sleeper in a session of its own with an empty environment, which keeps the output
// open. When it returns the sleeper has executed: nothing in it tells where it came from.
func daemonize(seconds string) int {
	attr := &syscall.ProcAttr{Env: []string{}, Files: []uintptr{0, 1, 2}, Sys: &syscall.SysProcAttr{Setsid: true}}
	if _, err := syscall.ForkExec("/bin/sleep", []string{"sleep", seconds}, attr); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// playSupervisor runs one shell script as an attempt and prints its output.
func playSupervisor(off switches, script string) int {
	cfg := Config{Campaign: os.Getenv("PLAY_CAMPAIGN"), Environ: os.Environ(), off: off}
	cfg.Spec.Command = run.Command{Args: []string{"/bin/sh", "-c", script}, Path: "/bin/sh", Env: []string{playVariable + "="}}
	cfg.Spec.Keep.OutputBytes = 1 << 16
	s, err := Open(cfg)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	r := s.Run(run.Attempt{Seq: 1, Try: 1, Slot: 1}, nil)
	fmt.Printf("code %d: %s", r.Ending.Code, r.Evidence.Output.Bytes())
	if err := s.Close(); err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

// playReuse gives the number of an attempt's main process to a stranger, which must survive whatever the
// supervisor still does; args say nothing. It prints what became of the stranger, and of another one
// under a supervisor that remembers numbers.
func playReuse() int {
	if err := unix.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		fmt.Println("mount proc:", err)
		return 1
	}
	for _, d := range []bool{false, true} {
		cfg := Config{Campaign: newCampaign(), off: switches{cgroup: d}}
		cfg.Spec.Command = run.Command{Args: []string{"sh", "-c", "exit 3"}, Path: "/bin/sh"}
		var main int
		var early error
		cfg.OnZombie = func(_ run.Attempt, pid int) {
			main = pid
			if got, err := spawnAs(pid); err == nil {
				early = reapNow(got)
				if got == pid {
					early = fmt.Errorf("the number of a zombie was given away")
				}
			}
		}
		s, err := Open(cfg)
		if err != nil {
			fmt.Println(err)
			return 1
		}
		if r := s.Run(run.Attempt{Seq: 1, Slot: 1}, nil); r.Ending.Code != 3 || early != nil {
			fmt.Println("run:", r.Ending, early)
			return 1
		}
		stranger, err := spawnAs(main)
		if err != nil || stranger != main {
			fmt.Println("spawn stranger:", stranger, main, err)
			return 1
		}
		s.Run(run.Attempt{Seq: 2, Slot: 1}, nil)
		s.kin.look()
		if _, err := Sweep(cfg.Campaign); err != nil {
			fmt.Println(err)
		}
		fmt.Println("stranger lives:", syscall.Kill(stranger, 0) == nil && stateOf(stranger) != 'Z')
		_ = syscall.Kill(-main, syscall.SIGKILL) // what a supervisor would do that trusts a number
		_ = reapNow(stranger)
		fmt.Println("killed by a remembered number:", syscall.Kill(stranger, 0) != nil)
		if err := s.Close(); err != nil {
			fmt.Println(err)
			return 1
		}
	}
	return 0
}

// spawnAs starts a process of its own group with a given number, if the kernel lets it have that.
func spawnAs(pid int) (int, error) {
	if err := os.WriteFile("/proc/sys/kernel/ns_last_pid", []byte(strconv.Itoa(pid-1)), 0); err != nil {
		return 0, err
	}
	// In the caller's session, so that nobody takes it for an attempt's orphan.
	return syscall.ForkExec("/bin/sleep", []string{"sleep", "3600"}, &syscall.ProcAttr{Sys: &syscall.SysProcAttr{Setpgid: true}})
}

func reapNow(pid int) error {
	_ = syscall.Kill(pid, syscall.SIGKILL)
	_, err := syscall.Wait4(pid, nil, 0, nil)
	return err
}

func stateOf(pid int) byte {
	s, _ := procFS("/proc").stat(pid)
	return s.State
}
