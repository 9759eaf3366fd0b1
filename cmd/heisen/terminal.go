package main

import (
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"heisen/reports/live"
	"heisen/reports/text"
	"heisen/stress/starve"
)

// terminal returns the file behind w if it is a terminal that can do more than print lines.
func terminal(w io.Writer) (*os.File, bool) {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" || !term.IsTerminal(int(f.Fd())) {
		return nil, false
	}
	return f, true
}

// styleFor decides on colour (NO_COLOR, see no-color.org) and width.
func styleFor(w io.Writer) text.Style {
	f, ok := terminal(w)
	if !ok {
		return text.Style{Zone: time.Local}
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		width = 0
	}
	return text.Style{Color: os.Getenv("NO_COLOR") == "", Width: width, Zone: time.Local}
}

// newView shows a campaign on w: as a block only where heisen has the terminal to itself.
func newView(w io.Writer, dir string, foreground bool, soak *soaking) *live.View {
	cfg := live.Config{Out: w, Style: styleFor(w), Dir: dir, Machine: machineLoad}
	if soak != nil {
		cfg.Every, cfg.Status = soakLine, soak.status
	}
	if f, ok := terminal(w); ok {
		cfg.Block = foreground
		cfg.Size = func() (int, int) {
			width, height, err := term.GetSize(int(f.Fd()))
			if err != nil {
				return 0, 0
			}
			return width, height
		}
	}
	return live.New(cfg)
}

func machineLoad() string {
	load, err := starve.ReadLoad()
	if err != nil {
		return "load not known: " + err.Error()
	}
	return load.String()
}
