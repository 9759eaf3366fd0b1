package campaign

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"heisen/stress/durable"
)

// ErrBusy is wrapped when another process runs the campaign.
var ErrBusy = errors.New("another heisen runs this campaign")

// lockPoll is how often a held lock is looked at: flock(2) cannot wait with a limit.
const lockPoll = 20 * time.Millisecond

// Holder is what the process that holds a lock says of itself.
type Holder struct {
	PID     int       `json:"pid"`
	Started time.Time `json:"started"`
}

// Lock is a campaign's lock, held. The kernel releases it when the process ends, however it ends.
type Lock struct{ file *os.File }

// Lock takes the campaign's lock for this process, which began at started. While another one holds it, it
// waits up to the given time: a predecessor that was just killed may still be dying. An error that wraps
// ErrBusy names the holder. The descriptor is closed on exec, so that no attempt holds the lock.
func (f *Folder) Lock(ctx context.Context, wait time.Duration, started time.Time) (*Lock, error) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	file, err := os.OpenFile(f.LockFile(), os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, durable.FileMode)
	if err != nil {
		return nil, fmt.Errorf("lock campaign: %w", err)
	}
	if err := acquire(ctx, file); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("lock campaign %s: %w", f.ID(), err)
	}
	if err := inscribe(file, Holder{PID: os.Getpid(), Started: started.UTC()}); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("lock campaign %s: %w", f.ID(), err)
	}
	return &Lock{file: file}, nil
}

func acquire(ctx context.Context, file *os.File) error {
	tick := time.NewTicker(lockPoll)
	defer tick.Stop()
	for {
		err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, unix.EINTR):
			continue
		case !errors.Is(err, unix.EWOULDBLOCK):
			return os.NewSyscallError("flock", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return busy(file)
		}
	}
}

// busy names the holder, as far as it has written itself down.
func busy(file *os.File) error {
	var h Holder
	data, err := io.ReadAll(io.NewSectionReader(file, 0, 4096))
	if err != nil || json.Unmarshal(data, &h) != nil {
		return fmt.Errorf("%w: wait for it to end, or stop it", ErrBusy)
	}
	return fmt.Errorf("%w (pid %d, since %s): wait for it to end, or stop it",
		ErrBusy, h.PID, h.Started.Format(time.RFC3339))
}

// inscribe need not be durable: it is only worth something while the lock is held.
func inscribe(file *os.File, h Holder) error {
	data, err := json.Marshal(h)
	if err != nil {
		return err
	}
	if err := file.Chmod(durable.FileMode); err != nil {
		return err
	}
	if err := file.Truncate(0); err != nil {
		return err
	}
	_, err = file.WriteAt(append(data, '\n'), 0)
	return err
}

// Unlock gives the lock back. The file stays: removing it would let two processes hold locks on two files
// of the same name.
func (l *Lock) Unlock() error { return l.file.Close() }
