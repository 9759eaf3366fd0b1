package guard

import (
	"errors"
	"fmt"
	"io"
)

// frame is one message on the control socket (SOCK_SEQPACKET keeps the boundaries): what, and one operand.
type frame [2]byte

const (
	opHello byte = iota + 1
	opInterrupt
	opTerminate
	opQuit
	opSuspend
	opResume
	opResize
	opAcknowledged
)

func encode(c Command) frame {
	switch c := c.(type) {
	case hello:
		return frame{opHello, flag(c.foreground)}
	case Interrupt:
		return frame{opInterrupt}
	case Terminate:
		return frame{opTerminate}
	case Quit:
		return frame{opQuit}
	case Suspend:
		return frame{opSuspend, c.number}
	case Resume:
		return frame{opResume, flag(c.Foreground)}
	case Resize:
		return frame{opResize}
	case acknowledged:
		return frame{opAcknowledged, c.number}
	}
	return frame{}
}

func decode(f frame) (Command, error) {
	switch f[0] {
	case opHello:
		return hello{f[1] != 0}, nil
	case opInterrupt:
		return Interrupt{}, nil
	case opTerminate:
		return Terminate{}, nil
	case opQuit:
		return Quit{}, nil
	case opSuspend:
		return Suspend{number: f[1]}, nil
	case opResume:
		return Resume{f[1] != 0}, nil
	case opResize:
		return Resize{}, nil
	case opAcknowledged:
		return acknowledged{f[1]}, nil
	}
	return nil, fmt.Errorf("decode control message: unknown kind %d", f[0])
}

func flag(b bool) byte {
	if b {
		return 1
	}
	return 0
}

func send(w io.Writer, c Command) error {
	f := encode(c)
	_, err := w.Write(f[:])
	return err
}

func receive(r io.Reader) (Command, error) {
	var f frame
	n, err := r.Read(f[:])
	if err != nil {
		return nil, err
	}
	if n != len(f) {
		return nil, errors.New("read control message: too short")
	}
	return decode(f)
}
