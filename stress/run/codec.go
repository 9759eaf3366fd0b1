package run

import (
	"encoding/json"
	"errors"
	"fmt"
)

// ErrUnknownEvent is returned by Decode for a kind this version of heisen does not know: a newer one
// wrote it. Readers may skip such an event; they must not write to its journal.
var ErrUnknownEvent = errors.New("unknown kind of event")

// envelope is how an event looks in the journal: its kind, then its own fields.
type envelope struct {
	Kind string          `json:"k"`
	Data json.RawMessage `json:"d"`
}

// outgoing is an envelope on its way out: encoded in one pass, since it is done once per attempt.
type outgoing struct {
	Kind string `json:"k"`
	Data Event  `json:"d"`
}

// Encode writes an event that belongs in the journal as one JSON object. Events that only a live view
// cares about are refused: a journal holds facts that outlive the session.
func Encode(e Event) ([]byte, error) {
	kind := ""
	switch e.(type) {
	case Began:
		kind = "began"
	case Finished:
		kind = "finished"
	case Retried:
		kind = "retried"
	case TimeoutSet:
		kind = "timeout"
	case MachineFault:
		kind = "machine"
	case Ended:
		kind = "ended"
	default:
		return nil, fmt.Errorf("encode event %T: not one that is journaled", e)
	}
	data, err := json.Marshal(outgoing{Kind: kind, Data: e})
	if err != nil {
		return nil, fmt.Errorf("encode %s event: %w", kind, err)
	}
	return data, nil
}

// Decode reads what Encode wrote.
func Decode(line []byte) (Event, error) {
	var env envelope
	if err := json.Unmarshal(line, &env); err != nil {
		return nil, fmt.Errorf("decode event: %w", err)
	}
	switch env.Kind {
	case "began":
		return decode[Began](env)
	case "finished":
		return decode[Finished](env)
	case "retried":
		return decode[Retried](env)
	case "timeout":
		return decode[TimeoutSet](env)
	case "machine":
		return decode[MachineFault](env)
	case "ended":
		return decode[Ended](env)
	}
	return nil, fmt.Errorf("decode event %q: %w", env.Kind, ErrUnknownEvent)
}

func decode[E Event](env envelope) (Event, error) {
	var e E
	if err := json.Unmarshal(env.Data, &e); err != nil {
		return nil, fmt.Errorf("decode %s event: %w", env.Kind, err)
	}
	return e, nil
}
