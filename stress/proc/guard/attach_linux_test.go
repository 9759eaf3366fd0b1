package guard

import (
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestAttachRefusesWhatIsNotOurs(t *testing.T) {
	front, own, err := socketpair()
	require.NoError(t, err)
	defer front.Close()
	defer own.Close()
	id, err := identity(int(own.Fd()))
	require.NoError(t, err)
	other := int(front.Fd())
	unix.FcntlInt(uintptr(other), unix.F_SETFD, 0)

	for name, value := range map[string]string{
		"empty":                   "",
		"not a number":            "x:" + id,
		"standard input":          "0:" + id,
		"closed descriptor":       "4000:" + id,
		"another socket":          fmt.Sprintf("%d:%s", other, id),
		"identity of nothing":     fmt.Sprintf("%d:0:0", other),
		"descriptor with no name": fmt.Sprint(other),
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(variable, value)
			link, err := Attach()
			require.ErrorIs(t, err, ErrNotSupervised)
			require.Nil(t, link)
			_, set := os.LookupEnv(variable)
			require.False(t, set)
		})
	}
	flags, err := unix.FcntlInt(uintptr(other), unix.F_GETFD, 0)
	require.NoError(t, err)
	require.Zero(t, flags&unix.FD_CLOEXEC, "a stranger's descriptor was changed")
}

func TestAttachToAFrontThatIsGone(t *testing.T) {
	front, own, err := socketpair()
	require.NoError(t, err)
	require.NoError(t, send(front, hello{true}))
	require.NoError(t, front.Close())
	link := attach(t, own)
	defer link.Close()
	require.True(t, link.Foreground())
	require.Equal(t, FrontGone{}, next(t, link))
}

func TestLinkDeliversAndAnswers(t *testing.T) {
	front, own, err := socketpair()
	require.NoError(t, err)
	defer front.Close()
	require.NoError(t, send(front, hello{false}))
	link := attach(t, own)
	defer link.Close()
	require.False(t, link.Foreground())

	require.NoError(t, send(front, Suspend{number: 7}))
	next(t, link).(Suspend).Ack()
	answer, err := receive(front)
	require.NoError(t, err)
	require.Equal(t, acknowledged{7}, answer)

	require.NoError(t, send(front, Resume{true}))
	require.Equal(t, Resume{true}, next(t, link))
	require.True(t, link.Foreground())
	require.NoError(t, link.Close())
	require.NoError(t, link.Close())
}

// attach hands a duplicate of the socket to Attach, as exec would.
func attach(t *testing.T, socket *os.File) *Link {
	fd, err := unix.Dup(int(socket.Fd()))
	require.NoError(t, err)
	entry, err := announcement(socket, fd)
	require.NoError(t, err)
	require.NoError(t, socket.Close())
	t.Setenv(variable, entry[len(variable)+1:])
	comm, err := os.ReadFile("/proc/self/comm")
	require.NoError(t, err)
	link, err := Attach()
	require.NoError(t, err)
	t.Cleanup(func() { os.WriteFile("/proc/self/comm", comm, 0) })
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	require.NoError(t, err)
	require.NotZero(t, flags&unix.FD_CLOEXEC)
	return link
}

func next(t *testing.T, link *Link) Command {
	select {
	case c := <-link.Commands():
		return c
	case <-time.After(time.Minute):
		require.FailNow(t, "no command came")
		return nil
	}
}

func TestWireRoundTrip(t *testing.T) {
	for _, c := range []Command{hello{true}, hello{false}, Interrupt{}, Terminate{}, Quit{}, Suspend{number: 200},
		Resume{true}, Resume{false}, Resize{}, acknowledged{200}} {
		back, err := decode(encode(c))
		require.NoError(t, err)
		require.Equal(t, c, back)
	}
	_, err := decode(frame{99, 0})
	require.Error(t, err)
}

func TestSweepSaysWhatItCouldNotKill(t *testing.T) {
	p, err := os.StartProcess("/bin/sleep", []string{"sleep", "600"}, &os.ProcAttr{
		Sys: &syscall.SysProcAttr{Setsid: true},
	})
	require.NoError(t, err)
	killed, left := sweep(-1)
	require.Zero(t, killed)
	require.Equal(t, []int{p.Pid}, left)
	killed, left = sweep(time.Minute)
	require.Equal(t, 1, killed)
	require.Empty(t, left)
	require.NoError(t, p.Release())
}
