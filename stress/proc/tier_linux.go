package proc

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"heisen/stress/run"
)

// The ways attempts are held together, best first. Tier C, a user and PID namespace for every attempt, is
// not built: tests would see other user and process numbers than they are used to.
const (
	tierA = "A (cgroup v2)"
	tierB = "B (delegated cgroup v2)"
	tierD = "D (process group and child subreaper)"
)

// leafName is the cgroup heisen itself moves to where controllers must be enabled in the one it is in:
// cgroup v2 allows that only where no process is (the "no internal processes" rule).
const leafName = "supervisor"

// choose finds the best tier this process may use and how the Spec's limits can be kept in it. It leaves
// the campaign's cgroups made.
func (s *Supervisor) choose() (tier run.Tier, l layout, shim []string, err error) {
	own := ownHierarchies(s.fs)
	why := "switched off"
	if !s.cfg.off.cgroup {
		l.base, why = campaignGroup(own, s.cfg.Campaign)
	}
	switch {
	case l.base == "":
		tier = run.Tier{Name: tierD, Lacks: []string{
			"a cgroup for every attempt (" + why + "): a daemon that clears its environment may be killed late and reported without its attempt",
			"pausing at one instant: SIGSTOP reaches one process after the other, and a test that stopped itself is continued",
		}}
	case os.Geteuid() == 0:
		tier.Name = tierA
	default:
		tier.Name = tierB
	}
	limits := s.cfg.Spec.Limits
	l.limits = limitsOf{memory: limits.MemoryBytes, processes: limits.Processes, cpu: limits.CPU}
	if limits.MemoryBytes == 0 {
		tier.Lacks = append(tier.Lacks, "a memory cgroup (no limit asked for): out of memory is told from the whole machine's counter")
	}
	shim, lacks, err := l.confine(own, s.cfg)
	tier.Lacks = append(tier.Lacks, lacks...)
	return tier, l, shim, err
}

// confine finds a way to keep each limit: all in the v2 hierarchy, else the CPU by other means and the rest
// there, else everything by other means.
func (l *layout) confine(own hierarchies, cfg Config) (shim, lacks []string, err error) {
	if err := checkCPU(l.limits.cpu); err != nil {
		return nil, nil, err
	}
	if l.confineV2(own) {
		return nil, nil, nil
	}
	note := func(lack string) {
		if lack != "" {
			lacks = append(lacks, lack)
		}
	}
	if l.limits.cpu > 0 {
		lack, err := l.weaken(own, cfg)
		if note(lack); err != nil || l.confineV2(own) {
			return nil, lacks, err
		}
	}
	shim, lack, err := l.confineV1(own, cfg)
	note(lack)
	return shim, lacks, err
}

// confineV2 tells whether everything that is still to be confined is by the v2 hierarchy.
func (l *layout) confineV2(own hierarchies) bool {
	if len(l.controllers()) > 0 {
		l.v2 = l.base != "" && l.delegate(own[""]) == nil
		return l.v2
	}
	return true
}

// campaignGroup makes the campaign's cgroup below the one this process is in, where its limits hold on,
// and tries to start a process there; why says what is missing.
func campaignGroup(own hierarchies, campaign string) (dir, why string) {
	parent, ok := own[""]
	if !ok {
		return "", "cgroup v2 is not mounted"
	}
	dir = filepath.Join(parent, groupPrefix+campaign)
	g, err := makeGroup(dir)
	if err != nil {
		return "", cause(err)
	}
	defer func() {
		if why != "" {
			_ = g.remove()
			dir = ""
			return
		}
		g.close()
	}()
	if _, err := os.Stat(filepath.Join(dir, "cgroup.kill")); err != nil {
		return dir, "no cgroup.kill, which needs Linux 5.14"
	}
	// What cannot be executed tells whether the kernel would have put it there: ENOENT comes from execve,
	// after clone3 did its part.
	_, err = syscall.ForkExec("/nonexistent/heisen", []string{"heisen"}, &syscall.ProcAttr{
		Sys: &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: g.fd},
	})
	if err != syscall.ENOENT {
		return dir, "clone3 into a cgroup: " + err.Error()
	}
	return dir, ""
}

// cause is the innermost error's text: the path in front of it would say nothing to the user.
func cause(err error) string {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno.Error()
	}
	return err.Error()
}

// controllers are the cgroup controllers the limits need.
func (l layout) controllers() []string {
	var names []string
	if l.limits.memory > 0 {
		names = append(names, "memory")
	}
	if l.limits.processes > 0 {
		names = append(names, "pids")
	}
	if l.quotaV2() {
		names = append(names, "cpu")
	}
	return names
}

// delegate enables the controllers for the campaign's cells in the v2 hierarchy.
func (l *layout) delegate(parent string) error {
	available, err := os.ReadFile(filepath.Join(parent, "cgroup.controllers"))
	if err != nil {
		return err
	}
	words := strings.Fields(string(available))
	var enable []string
	for _, name := range l.controllers() {
		if !slices.Contains(words, name) {
			return fmt.Errorf("no %s controller in %s", name, parent)
		}
		enable = append(enable, "+"+name)
	}
	order := []byte(strings.Join(enable, " "))
	control := filepath.Join(parent, "cgroup.subtree_control")
	if err := os.WriteFile(control, order, 0); errors.Is(err, syscall.EBUSY) {
		if err = l.enterLeaf(); err == nil {
			err = os.WriteFile(control, order, 0)
		}
		if err != nil {
			return errors.Join(err, l.leaveLeaf(parent))
		}
	} else if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(l.base, "cgroup.subtree_control"), order, 0)
}

// enterLeaf moves this process out of the way of a controller.
func (l *layout) enterLeaf() error {
	leaf := filepath.Join(l.base, leafName)
	if err := os.Mkdir(leaf, 0o755); err != nil {
		return err
	}
	l.leaf = leaf
	return os.WriteFile(filepath.Join(leaf, "cgroup.procs"), []byte(strconv.Itoa(os.Getpid())), 0)
}

// leaveLeaf moves this process back.
func (l *layout) leaveLeaf(parent string) error {
	if l.leaf == "" {
		return nil
	}
	l.leaf = ""
	var disable []string
	for _, name := range l.controllers() {
		disable = append(disable, "-"+name)
	}
	order := []byte(strings.Join(disable, " "))
	_ = os.WriteFile(filepath.Join(l.base, "cgroup.subtree_control"), order, 0)
	_ = os.WriteFile(filepath.Join(parent, "cgroup.subtree_control"), order, 0)
	return os.WriteFile(filepath.Join(parent, "cgroup.procs"), []byte(strconv.Itoa(os.Getpid())), 0)
}

// confineV1 finds another way to keep the limits: cgroup v1 controllers, or for processes RLIMIT_NPROC,
// set by the program's own Exec.
func (l *layout) confineV1(own hierarchies, cfg Config) (shim []string, lack string, err error) {
	for _, controller := range l.controllers() {
		dir, found := own[controller]
		if found {
			dir = filepath.Join(dir, groupPrefix+cfg.Campaign)
			err = os.Mkdir(dir, 0o755)
		}
		if found && (err == nil || errors.Is(err, os.ErrExist)) {
			if controller == "memory" {
				l.memory = dir
			} else {
				l.pids = dir
			}
			continue
		}
		if controller == "memory" {
			return nil, "", errors.New("limit memory: no memory cgroup may be made here: " +
				"run heisen as root, in a scope of its own (systemd-run --user --scope -p Delegate=yes heisen ...), or without the limit")
		}
		if exempt() {
			return nil, "", errors.New("limit processes: no pids cgroup may be made here, and root is exempt from " +
				"RLIMIT_NPROC: run heisen as an ordinary user, with a pids cgroup, or without the limit")
		}
		if shim, err = processShim(cfg); err != nil {
			return nil, "", err
		}
		lack = "a limit on the processes of one attempt: RLIMIT_NPROC bounds all of this user's together"
	}
	return shim, lack, nil
}

// exempt tells whether RLIMIT_NPROC means nothing to this process (copy_process in kernel/fork.c): the
// first user, or one of two capabilities.
func exempt() bool {
	if os.Getuid() == 0 {
		return true
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return false
	}
	return data[0].Effective&(1<<unix.CAP_SYS_RESOURCE|1<<unix.CAP_SYS_ADMIN) != 0
}

// remove deletes the campaign's cgroups.
func (l *layout) remove() error {
	var errs []error
	if l.base != "" {
		errs = append(errs, l.leaveLeaf(filepath.Dir(l.base)))
	}
	for _, dir := range []string{l.base, l.memory, l.pids, l.cpu} {
		if dir != "" {
			errs = append(errs, removeGroup(dir))
		}
	}
	return errors.Join(errs...)
}
