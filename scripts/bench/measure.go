package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"
)

// measureWord makes this program the wrapper around one measured tool.
const measureWord = "measure-one-tool"

// raw is what the wrapper saw of one tool.
type raw struct {
	// Wall is from the start of the tool to its end.
	Wall time.Duration `json:"wall_ns"`
	// CPU is user and system time of the tool and of everything it started.
	CPU time.Duration `json:"cpu_ns"`
	// PeakKiB is the sum of the peak resident sets of the tool's own processes.
	PeakKiB int64 `json:"peak_kib"`
	// Code is the tool's exit code, -1 for a signal.
	Code int `json:"code"`
}

// figures are what one measurement comes to.
type figures struct {
	Rate       float64 `json:"attempts_per_second"`
	CPUMicros  float64 `json:"cpu_us_per_attempt"`
	PeakMiB    float64 `json:"peak_mib"`
	WallMillis float64 `json:"wall_ms"`
}

func (r raw) figures(runs int) figures {
	return figures{
		Rate:       float64(runs) / r.Wall.Seconds(),
		CPUMicros:  float64(r.CPU.Microseconds()) / float64(runs),
		PeakMiB:    float64(r.PeakKiB) / 1024,
		WallMillis: millis(r.Wall),
	}
}

// measured runs argv under a wrapper process, so that CPU time is counted per tool: getrusage(2) counts
// children once, for good.
func measured(argv []string) (raw, error) {
	self, err := os.Executable()
	if err != nil {
		return raw{}, err
	}
	cmd := exec.Command(self, append([]string{measureWord}, argv...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return raw{}, fmt.Errorf("%w: %s", err, tail(stderr.Bytes()))
	}
	var r raw
	if err := json.Unmarshal(out, &r); err != nil {
		return raw{}, fmt.Errorf("read what the wrapper measured: %w", err)
	}
	if r.Code != 0 {
		return raw{}, fmt.Errorf("exit code %d: %s", r.Code, tail(stderr.Bytes()))
	}
	if r.Wall <= 0 {
		return raw{}, errors.New("it took no time")
	}
	return r, nil
}

func tail(b []byte) []byte { return b[max(0, len(b)-2000):] }

// measureMain is the wrapper: it prints one raw as JSON.
func measureMain(argv []string) int {
	r, err := watch(argv)
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(r)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		return 1
	}
	return 0
}
