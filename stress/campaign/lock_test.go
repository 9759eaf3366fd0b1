package campaign

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const holderEnv = "HEISEN_TEST_LOCK_FOLDER"

// TestMain lets the test binary play another process that holds a campaign's lock until it is killed.
func TestMain(m *testing.M) {
	if path := os.Getenv(holderEnv); path != "" {
		f, err := openFolder(path)
		if err == nil {
			_, err = f.Lock(context.Background(), 0, someTime)
		}
		fmt.Println("locked:", err)
		time.Sleep(time.Minute)
		os.Exit(3)
	}
	os.Exit(m.Run())
}

// holder starts another process that holds the lock.
func holder(t *testing.T, f *Folder) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), holderEnv+"="+f.Path())
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "locked: <nil>\n", line)
	return cmd
}

func TestFault38SecondProcessIsRefused(t *testing.T) {
	f := create(t, newStore(t), 1)
	other := holder(t, f)
	_, err := f.Lock(t.Context(), 0, someTime)
	require.ErrorIs(t, err, ErrBusy)
	require.ErrorContains(t, err, "pid "+strconv.Itoa(other.Process.Pid))
	require.ErrorContains(t, err, "2026-11-21T22:45:12Z")

	require.NoError(t, other.Process.Kill())
	lock, err := f.Lock(t.Context(), time.Minute, someTime)
	require.NoError(t, err, "a holder that dies while one waits makes room")
	require.NoError(t, lock.Unlock())
}

func TestLockIsGivenBack(t *testing.T) {
	f := create(t, newStore(t), 1)
	for range 3 {
		lock, err := f.Lock(t.Context(), 0, someTime)
		require.NoError(t, err)
		_, err = f.Lock(t.Context(), 50*time.Millisecond, someTime)
		require.ErrorIs(t, err, ErrBusy, "also within one process")
		require.NoError(t, lock.Unlock())
	}
}

func TestLockStopsWaitingWhenAsked(t *testing.T) {
	f := create(t, newStore(t), 1)
	lock, err := f.Lock(t.Context(), 0, someTime)
	require.NoError(t, err)
	defer lock.Unlock()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = f.Lock(ctx, time.Hour, someTime)
	require.ErrorIs(t, err, ErrBusy)
}

func TestLockFileThatIsALink(t *testing.T) {
	f := create(t, newStore(t), 1)
	victim := f.Path() + "-victim"
	require.NoError(t, os.WriteFile(victim, []byte("precious"), 0o600))
	require.NoError(t, os.Symlink(victim, f.LockFile()))
	_, err := f.Lock(t.Context(), 0, someTime)
	require.Error(t, err)
	data, err := os.ReadFile(victim)
	require.NoError(t, err)
	require.Equal(t, "precious", string(data))
}
