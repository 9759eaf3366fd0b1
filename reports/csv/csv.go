// Package csv writes a campaign's attempts as comma-separated values (RFC 4180), one line each, while the journal is
// read: however many there are, no more than one is held.
package csv

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"heisen/reports/text"
	"heisen/stress/run"
)

// Writer writes lines. Feed it every event of a journal.
type Writer struct {
	out     *csv.Writer
	signals []run.Signal
	row     []string
}

// NewWriter writes the head.
func NewWriter(w io.Writer) (*Writer, error) {
	c := &Writer{out: csv.NewWriter(w), signals: run.SignalTable()}
	head := []string{"attempt", "try", "epoch", "slot", "running", "seed", "started", "wall_us", "user_us", "system_us", "rss_kib",
		"outcome", "cause", "exit_code", "signal", "leaked", "output_bytes", "variant", "strategy", "holds", "held_us", "signature", "title", "bundle"}
	for _, s := range c.signals {
		head = append(head, s.Name)
	}
	if err := c.out.Write(head); err != nil {
		return nil, fmt.Errorf("write csv: %w", err)
	}
	return c, nil
}

// Add writes a finished attempt, as often as the journal has it; it passes over all other events.
func (c *Writer) Add(e run.Event) error {
	f, ok := e.(run.Finished)
	if !ok {
		return nil
	}
	c.row = append(c.row[:0], number(f.Seq), strconv.Itoa(f.Try), strconv.Itoa(f.Epoch), strconv.Itoa(f.Slot), strconv.Itoa(f.Running),
		strconv.FormatUint(f.Seed, 10), f.At.UTC().Format(time.RFC3339Nano), number(f.Wall), number(f.User), number(f.System), number(f.MaxRSS),
		cell(string(f.Outcome)), cell(f.Cause), strconv.Itoa(f.Code), cell(f.Signal), strconv.FormatBool(f.Leaked), number(f.Output), cell(f.Variant))
	if f.Chaos != nil {
		c.row = append(c.row, cell(f.Chaos.Strategy), number(f.Chaos.Made), number(f.Chaos.Held))
	} else {
		c.row = append(c.row, "", "", "")
	}
	if f.Filed != nil {
		c.row = append(c.row, cell(f.Filed.Signature), cell(f.Filed.Title), cell(f.Filed.Bundle))
	} else {
		c.row = append(c.row, "", "", "")
	}
	for _, s := range c.signals {
		v, have := f.Signals[s.Name]
		if !have { // not collected is an empty cell, never a zero
			c.row = append(c.row, "")
			continue
		}
		c.row = append(c.row, number(v))
	}
	if err := c.out.Write(c.row); err != nil {
		return fmt.Errorf("write csv: %w", err)
	}
	return nil
}

// Close writes what is left.
func (c *Writer) Close() error {
	c.out.Flush()
	if err := c.out.Error(); err != nil {
		return fmt.Errorf("write csv: %w", err)
	}
	return nil
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

// cell is foreign text. A spreadsheet takes what begins with one of these marks for a formula.
func cell(s string) string {
	s = text.Escape(s)
	if s != "" && strings.ContainsRune("=+-@", rune(s[0])) {
		return "'" + s
	}
	return s
}
