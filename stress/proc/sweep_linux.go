package proc

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"heisen/stress/run"
)

// sweepRounds bounds how often leftovers are looked for: what forks faster than it is killed is a bomb,
// and is told.
const sweepRounds = 100

// Sweep kills what a dead heisen left of a campaign and removes its cgroups, and returns what it killed.
// Leftovers are found by the cgroup's name and by the campaign's id in the environment they were executed
// with, and never by a recorded number, which may belong to a stranger by now. The caller must know that
// no other heisen runs this campaign (a lock on its folder). This process and its ancestors are spared.
func Sweep(campaign string) ([]run.Leak, error) {
	return sweep("/proc", campaign)
}

func sweep(proc procFS, campaign string) ([]run.Leak, error) {
	if err := checkCampaign(campaign); err != nil {
		return nil, err
	}
	spared := ancestors(proc, os.Getpid())
	var killed []run.Leak
	dirs := campaignGroups(proc, campaign)
	named := func(leaks []run.Leak) {
		for _, l := range leaks {
			if !slices.ContainsFunc(killed, func(k run.Leak) bool { return k.PID == l.PID }) {
				killed = append(killed, l)
			}
		}
	}
	for range sweepRounds {
		found := sweepGroups(proc, dirs, spared)
		found = append(found, sweepEnvironments(proc, campaign, spared)...)
		named(found)
		if len(found) == 0 {
			return killed, removeAll(dirs)
		}
		time.Sleep(5 * time.Millisecond)
	}
	return killed, fmt.Errorf("%w: processes of campaign %s do not die: kill them by hand and resume", errSweep, campaign)
}

// usedHierarchies are those in which a campaign can have cgroups.
var usedHierarchies = []string{"", "memory", "pids", "cpu"}

// campaignGroups finds the campaign's cgroups in every mounted hierarchy. The dead heisen may have been
// in another cgroup than this one is.
func campaignGroups(proc procFS, campaign string) []string {
	mountinfo, _ := os.ReadFile(filepath.Join(string(proc), "self/mountinfo"))
	var dirs []string
	for _, line := range strings.Split(string(mountinfo), "\n") {
		m, ok := parseMount(line)
		if !ok || !slices.ContainsFunc(m.controllers, func(c string) bool { return slices.Contains(usedHierarchies, c) }) {
			continue
		}
		_ = filepath.WalkDir(m.point, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || !entry.IsDir() {
				return nil
			}
			if entry.Name() == groupPrefix+campaign {
				dirs = append(dirs, path)
				return fs.SkipDir
			}
			return nil
		})
	}
	return dirs
}

// sweepGroups kills the processes in the cgroups, each through a pidfd after looking again that it is
// still there.
func sweepGroups(proc procFS, dirs []string, spared map[int]bool) []run.Leak {
	var killed []run.Leak
	for _, dir := range dirs {
		for _, pid := range groupPIDs(dir) {
			l := run.Leak{PID: pid, Command: proc.command(pid)}
			inside := func(s stat) bool { return !s.over() && slices.Contains(groupPIDs(dir), pid) }
			if !spared[pid] && signalStranger(proc, pid, syscall.SIGKILL, inside) {
				killed = append(killed, l)
			}
		}
	}
	return killed
}

// sweepEnvironments kills the processes that carry the campaign's id.
func sweepEnvironments(proc procFS, campaign string, spared map[int]bool) []run.Leak {
	marked := func(pid int) bool {
		environ, err := proc.environ(pid)
		id, found := lookup(environ, CampaignVariable)
		return err == nil && found && id == campaign
	}
	pids, _ := proc.pids()
	var killed []run.Leak
	for _, pid := range pids {
		if spared[pid] || !marked(pid) {
			continue
		}
		l := run.Leak{PID: pid, Command: proc.command(pid)}
		if signalStranger(proc, pid, syscall.SIGKILL, func(s stat) bool { return !s.over() && marked(pid) }) {
			killed = append(killed, l)
		}
	}
	return killed
}

// ancestors is a process and those it descends from.
func ancestors(proc procFS, pid int) map[int]bool {
	line := map[int]bool{}
	for pid > 0 && !line[pid] {
		line[pid] = true
		s, err := proc.stat(pid)
		if err != nil {
			break
		}
		pid = s.Parent
	}
	return line
}

func removeAll(dirs []string) error {
	var errs []error
	for _, dir := range dirs {
		if err := removeGroup(dir); err != nil {
			errs = append(errs, fmt.Errorf("%w: %w", errSweep, err))
		}
	}
	return errors.Join(errs...)
}
