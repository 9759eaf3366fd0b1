package checkout

import (
	"context"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// Build runs a command in a folder of a worktree, with both its streams written to log. When ctx ends, its whole process
// group is killed: make leaves compilers behind.
func Build(ctx context.Context, dir string, args []string, log io.Writer) error {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, Environ(os.Environ()), log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 10 * time.Second // a daemon that the build left may hold its output open
	return cmd.Run()
}
