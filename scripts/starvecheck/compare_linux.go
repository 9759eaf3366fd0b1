package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

var errApart = errors.New("figures are further apart than they may be")

// compare runs the work once, under the meter, GNU time and perf at the same time, and prints the figures
// side by side.
func compare() error {
	dir, err := os.MkdirTemp("", "starvecheck-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	self, err := os.Executable()
	if err != nil {
		return err
	}
	// A name of its own, because perf tells threads by name.
	name := "work" + strconv.Itoa(os.Getpid())
	program, out, trace := filepath.Join(dir, name), filepath.Join(dir, "figures"), filepath.Join(dir, "perf.data")
	if err := os.Symlink(self, program); err != nil {
		return err
	}
	args := []string{self, "measure", program, out}
	perf := exec.Command("perf", append([]string{"sched", "record", "-q", "-o", trace, "--"}, args...)...)
	perfErr := perf.Run()
	if perfErr != nil {
		plain := exec.Command(args[0], args[1:]...)
		plain.Stderr = os.Stderr
		if err := plain.Run(); err != nil {
			return err
		}
	}
	f, err := readFigures(out)
	if err != nil {
		return err
	}
	report, err := os.ReadFile(out + ".time")
	if err != nil {
		return err
	}
	ok := print(os.Stdout, "voluntary switches", float64(f.Voluntary-f.OwnVoluntary), float64(field(report, "Voluntary context switches:")), "time -v", 0)
	ok = print(os.Stdout, "involuntary switches", float64(f.Involuntary-f.OwnInvoluntary), float64(field(report, "Involuntary context switches:")), "time -v", 0) && ok
	if perfErr != nil {
		fmt.Println("CPU time and run delay: not compared: perf sched record:", perfErr)
		return verdict(ok)
	}
	seen, err := replay(trace, name, f.PID)
	if err != nil {
		return err
	}
	cpu, delay := seen.run, seen.delay
	ok = print(os.Stdout, "CPU ms", ms(f.CPU), cpu, "perf sched", 0.02) && ok
	ok = print(os.Stdout, "run delay ms", ms(f.RunDelay), delay, "perf sched", 0.10) && ok
	fmt.Println(f.Stats)
	return verdict(ok)
}

func verdict(ok bool) error {
	if !ok {
		return errApart
	}
	return nil
}

func readFigures(path string) (figures, error) {
	var f figures
	data, err := os.ReadFile(path)
	if err != nil {
		return f, err
	}
	return f, json.Unmarshal(data, &f)
}

func ms(d time.Duration) float64 { return float64(d) / 1e6 }

// print shows a pair of figures and tells whether they agree to within a share of the other tool's.
func print(w *os.File, what string, own, other float64, tool string, within float64) bool {
	off := 0.0
	if own != other {
		off = math.Abs(own-other) / math.Max(other, 1e-9)
	}
	word := "ok"
	if off > within {
		word = "TOO FAR"
	}
	fmt.Fprintf(w, "%-22s heisen %12.2f   %-10s %12.2f   off %6.2f %%   allowed %2.0f %%   %s\n", what, own, tool, other, 100*off, 100*within, word)
	return off <= within
}
