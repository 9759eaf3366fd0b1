package planted

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"time"
)

// oneIn is how seldom the coin and the slow test fail: one time in ten. The harness's seed has no part in it.
const oneIn = 10

// draw tells whether this is the one time in oneIn, by the kernel's random numbers (crypto/rand.Reader).
func draw(random io.Reader) (bool, error) {
	var raw [8]byte
	if _, err := io.ReadFull(random, raw[:]); err != nil {
		return false, fmt.Errorf("draw a random number: %w", err)
	}
	// 2^64 is no multiple of ten; the share is off by less than 1e-18.
	return binary.LittleEndian.Uint64(raw[:])%oneIn == 0, nil
}

// coin fails one time in ten whatever the machine does: a verdict that blames the machine for it is wrong.
func coin(out io.Writer) int { return flip(out, rand.Reader) }

func flip(out io.Writer, random io.Reader) int {
	fmt.Fprintln(out, "=== RUN   TestOrderOfKeys")
	began := time.Now()
	tails, err := draw(random)
	switch {
	case err != nil:
		return broken(out, err)
	case tails:
		return failed(out, "TestOrderOfKeys", time.Since(began), `keys_test.go:17: keys = [b a], want [a b]`)
	}
	return passed(out, "TestOrderOfKeys", time.Since(began))
}

// failed and passed end a test as go test does, with its exit codes.
func failed(out io.Writer, test string, took time.Duration, why string) int {
	fmt.Fprintf(out, "--- FAIL: %s (%.2fs)\n    %s\nFAIL\n", test, took.Seconds(), why)
	return 1
}

func passed(out io.Writer, test string, took time.Duration) int {
	fmt.Fprintf(out, "--- PASS: %s (%.2fs)\n", test, took.Seconds())
	return 0
}

// skipCode is the exit code that says "neither": a planted test that cannot play its part is no failure.
const skipCode = 125

func broken(out io.Writer, err error) int {
	fmt.Fprintf(out, "this planted test cannot run here: %v\n", err)
	return skipCode
}
