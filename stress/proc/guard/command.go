package guard

// Command is what the supervisor is asked to do: one of the types below. Every Interrupt, Terminate and
// Quit is delivered. Of Suspend and Resume only the latest that was not yet received is, so either may
// come twice in a row, and a Resume without a Suspend.
type Command interface{ command() }

type (
	// Interrupt is one Ctrl-C (SIGINT).
	Interrupt struct{}
	// Terminate is one SIGTERM, or a SIGHUP that was not ignored when the process started (nohup).
	Terminate struct{}
	// Quit is one Ctrl-\ (SIGQUIT).
	Quit struct{}
	// Suspend is a Ctrl-Z: the front stops once the command is acknowledged, or when its patience ends.
	Suspend struct {
		number byte
		ack    func(number byte)
	}
	// Resume tells that the front runs, and whether its job is the terminal's foreground job; that is
	// false without a terminal. It also comes when only the latter has changed.
	Resume struct{ Foreground bool }
	// Resize tells that the terminal's size has changed.
	Resize struct{}
	// FrontGone tells that the front is dead: nobody is left to show anything to, or to ask.
	FrontGone struct{}

	// hello is the first message on every control socket.
	hello struct{ foreground bool }
	// acknowledged is the supervisor's answer to the Suspend of that number.
	acknowledged struct{ number byte }
)

// Ack tells the front that the campaign stands still and the terminal is free. It may be called late, more
// than once, or never.
func (s Suspend) Ack() {
	if s.ack != nil {
		s.ack(s.number)
	}
}

func (Interrupt) command()    {}
func (Terminate) command()    {}
func (Quit) command()         {}
func (Suspend) command()      {}
func (Resume) command()       {}
func (Resize) command()       {}
func (FrontGone) command()    {}
func (hello) command()        {}
func (acknowledged) command() {}
