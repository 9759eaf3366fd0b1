package golang

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// selfTest builds a small program with the overlay and runs it twice: with a decision at every point, which
// must all be told and must not change what it prints, and switched off, where nothing may be told. Hooks
// that compile and never fire are taken out of p.Hooked. What passed once is remembered beside the overlay.
func (b *builder) selfTest(ctx context.Context, overlay string, p Patched) error {
	dir := filepath.Dir(overlay)
	unlock, err := lockDir(dir)
	if err != nil {
		return err
	}
	defer unlock()
	passed := filepath.Join(dir, "passed")
	if _, err := os.Stat(passed); err == nil {
		return nil
	}
	program, err := b.buildSelfTest(ctx, dir, overlay)
	if err != nil {
		return err
	}
	if err := runSelfTest(ctx, dir, program, p); err != nil {
		return err
	}
	return put(passed, nil)
}

func (b *builder) buildSelfTest(ctx context.Context, dir, overlay string) (string, error) {
	source, err := inside.ReadFile("inside/selftest.go.txt")
	if err != nil {
		return "", err
	}
	main := filepath.Join(dir, "selftest", "main.go")
	if err := put(main, source); err != nil {
		return "", err
	}
	program := filepath.Join(dir, "selftest", "selftest")
	args := []string{"build", "-overlay=" + overlay, "-o", program}
	for _, w := range b.cmd.Build {
		if f, _ := cutFlag(w); f.name == "race" || f.name == "msan" || f.name == "asan" || f.name == "trimpath" {
			args = append(args, w)
		}
	}
	_, err = b.goCommand(ctx, append(args, main)...)
	return program, err
}

func runSelfTest(ctx context.Context, dir, program string, p Patched) error {
	every := Settings{Seed: 1, On: true, Kinds: 1<<(2*len(kinds)) - 1, Yield: 1 << 15, Sleep: 1 << 15, Start: 1 << 16,
		Victims: 256, Min: time.Microsecond, Max: 2 * time.Microsecond, Long: time.Microsecond, Budget: 10 * time.Second,
		Queues: true, Orders: true, Trace: mostPoints, Told: mostDecisions}
	told, err := runOnce(ctx, dir, program, every)
	if err != nil {
		return err
	}
	held := map[string]bool{}
	for _, m := range told.Made {
		held[strings.TrimSuffix(strings.TrimPrefix(m.Kind, LinePrefix), done)] = true
	}
	var silent []string
	for _, k := range p.Hooked {
		if kindNumber(k) >= 0 && !held[k] {
			silent = append(silent, k)
		}
	}
	if len(silent) > 0 || told.Ended != 1 || told.Bad > 0 {
		return fmt.Errorf("the self-test held nothing at %v (%d ends, %d bad lines)", silent, told.Ended, told.Bad)
	}
	off, err := runOnce(ctx, dir, program, Settings{Trace: mostPoints, Told: mostDecisions})
	if err == nil && off.Processes > 0 {
		err = errors.New("the self-test was disturbed although switched off")
	}
	return err
}

// runOnce runs the self-test and reads what its runtime told.
func runOnce(ctx context.Context, dir, program string, s Settings) (Told, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	events := filepath.Join(dir, "selftest", "events")
	if err := os.WriteFile(events, nil, 0o600); err != nil {
		return Told{}, err
	}
	cmd := exec.CommandContext(ctx, program)
	cmd.Env = append(slices.Clone(os.Environ()), append(s.Environ(), "HEISEN_EVENTS="+events)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return Told{}, fmt.Errorf("the self-test of the overlay failed: %w: %s", err, bytes.TrimSpace(out))
	}
	if string(out) != "as promised\n" {
		return Told{}, fmt.Errorf("the self-test of the overlay printed %q", out)
	}
	text, err := os.Open(events)
	if err != nil {
		return Told{}, err
	}
	defer text.Close()
	return Read(text, Hold, 0)
}
