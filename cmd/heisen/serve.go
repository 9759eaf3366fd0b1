package main

import (
	"fmt"
	"regexp"

	"github.com/urfave/cli/v2"

	"heisen/reports/evidence"
	"heisen/reports/history"
	"heisen/reports/serve"
	"heisen/stress/campaign"
)

const (
	flagServe      = "serve"
	flagServeCert  = "serve-cert"
	flagServeKey   = "serve-key"
	flagServeToken = "serve-token"

	groupServe = "Watching from a browser"
	// servedAt is where --serve alone serves: a free port that only this machine reaches.
	servedAt = "127.0.0.1:0"
)

func serveFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: flagServe, Category: groupServe, DefaultText: "none; " + servedAt + " without ADDR",
			Usage: "show the campaign on a page while it runs, and /metrics and /healthz, at `[ADDR]`, a port or host:port"},
		&cli.StringFlag{Name: flagServeToken, Category: groupServe, DefaultText: "drawn, and printed", Usage: "take the page's token from `FILE`, which others must not be able to read"},
		&cli.StringFlag{Name: flagServeCert, Category: groupServe, Usage: "serve by TLS with the certificate in `FILE`; beyond this machine nothing else is served"},
		&cli.StringFlag{Name: flagServeKey, Category: groupServe, Usage: "its key in `FILE`"},
	}
}

// serveAlone is --serve without an address, told from the address by its port.
var (
	serveAlone   = regexp.MustCompile(`^--?` + flagServe + `$`)
	serveAddress = regexp.MustCompile(`^(\S*:)?[0-9]+$`)
)

// prepareServe says where the dashboard will be; nil where none is wanted.
func prepareServe(c *cli.Context) (*serve.Door, error) {
	if !c.IsSet(flagServe) {
		for _, name := range []string{flagServeCert, flagServeKey, flagServeToken} {
			if c.IsSet(name) {
				return nil, usagef("--%s goes with --%s", name, flagServe)
			}
		}
		return nil, nil
	}
	door, err := serve.Prepare(serve.Options{Address: c.String(flagServe), Cert: c.String(flagServeCert), Key: c.String(flagServeKey),
		TokenFile: c.String(flagServeToken)})
	if err != nil {
		return nil, usageError{fmt.Errorf("--%w", err)}
	}
	return door, nil
}

// openDashboard takes the port, before anything is made on disk.
func (s *session) openDashboard() (err error) {
	if s.plan.door != nil {
		s.dashboard, err = s.plan.door.Open()
	}
	return err
}

// startDashboard begins to show the campaign, earlier sessions with it.
func (s *session) startDashboard() error {
	if s.dashboard == nil {
		return nil
	}
	cfg := serve.Config{Source: s.engine, Dir: s.folder.Path(), Kind: kindOf(s.folder), History: &history.History{},
		Deep: (&watched{folder: s.folder}).look}
	if s.meter != nil {
		cfg.Machine = s.meter.Series().Points
	} else {
		cfg.NoMachine = "switched off (--no-signals)"
	}
	if s.plan.soak != nil {
		cfg.Status, cfg.Soak = s.plan.soak.status, s.plan.soak.shown
	}
	if s.plan.resumed != nil {
		fold, err := readFold(s.folder)
		if err != nil {
			return err
		}
		cfg.History = fold.History
	}
	s.dashboard.Start(cfg)
	return nil
}

// closeDashboard gives the port back, where it was taken.
func (s *session) closeDashboard() {
	if s.dashboard != nil {
		s.dashboard.Close()
	}
}

// watched is a campaign that somebody looks at while it runs. The attempts that are drawn stay the same, as far as
// they can, so that nobody's picture changes under their eyes.
type watched struct {
	folder     *campaign.Folder
	fail, pass *evidence.Attempt
}

// look folds the campaign's journal, and finds what is to be drawn.
func (w *watched) look() (serve.Depth, error) {
	report, _, err := readReport(w.folder)
	if err != nil {
		return serve.Depth{}, err
	}
	s := subject{folder: w.folder, report: &report}
	if w.fail == nil || w.fail.Trace == nil {
		s.choose()
		w.fail = s.failure
	}
	if s.failure = w.fail; w.fail != nil && w.pass == nil {
		w.pass = evidence.Nearest(w.fail, s.passes())
	}
	return serve.Depth{Report: report, Fail: w.fail, Pass: w.pass}, nil
}
