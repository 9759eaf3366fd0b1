package provenance

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"

	"github.com/shirou/gopsutil/v3/common"
	"github.com/shirou/gopsutil/v3/cpu"
	"github.com/shirou/gopsutil/v3/host"
	"github.com/shirou/gopsutil/v3/load"
	"github.com/shirou/gopsutil/v3/mem"

	"heisen/stress/cpus"
)

// Root is the folder under which the system's files are read: System, or a prepared tree in a test.
type Root string

// System is the machine heisen runs on.
const System Root = "/"

// Host is what a machine is, as far as it can matter to a test. It holds no host name and no user name.
type Host struct {
	OS           string `json:"os"`
	Arch         string `json:"arch"`
	Kernel       string `json:"kernel,omitempty"`
	Distribution string `json:"distribution,omitempty"`
	CPUModel     string `json:"cpu_model,omitempty"`
	// CPUs counts the logical processors the machine has, Online lists those in use ("0-3,6") and Affinity
	// those that heisen, and so the test, may run on.
	CPUs     int    `json:"cpus,omitempty"`
	Online   string `json:"cpus_online,omitempty"`
	Affinity []int  `json:"cpu_affinity,omitempty"`
	// Memory and Swap are the machine's, in bytes.
	Memory uint64 `json:"memory_bytes,omitempty"`
	Swap   uint64 `json:"swap_bytes"`
	// Load is the mean number of running and waiting tasks over 1, 5 and 15 minutes.
	Load []float64 `json:"load,omitempty"`
	// Virtualisation is the system and the machine's part in it ("kvm guest"); Hypervisor is the CPU's own
	// word for it, which is right more often.
	Virtualisation string `json:"virtualisation,omitempty"`
	Hypervisor     bool   `json:"hypervisor"`
	Container      string `json:"container,omitempty"`
	// ContainerLimits are the narrowest limits of the control groups heisen lies in.
	ContainerLimits Limits `json:"container_limits"`
	ClockSource     string `json:"clock_source,omitempty"`
	// ResourceLimits maps a limit as the kernel names it ("open files") to its soft and hard value.
	ResourceLimits map[string][2]string `json:"resource_limits,omitempty"`
	// NotCollected maps what could not be had to the reason.
	NotCollected map[string]string `json:"not_collected,omitempty"`
}

// Host collects what can be had; nothing it lacks is an error.
func (r Root) Host(ctx context.Context) Host {
	c := collector{root: r, ctx: r.context(ctx)}
	c.host = Host{OS: runtime.GOOS, Arch: runtime.GOARCH, NotCollected: make(map[string]string)}
	c.system()
	c.processors()
	c.memory()
	c.surroundings()
	return c.host
}

// context points gopsutil at the same root.
func (r Root) context(ctx context.Context) context.Context {
	return context.WithValue(ctx, common.EnvKey, common.EnvMap{
		common.HostProcEnvKey: r.path("proc"), common.HostSysEnvKey: r.path("sys"),
		common.HostEtcEnvKey: r.path("etc"), common.HostVarEnvKey: r.path("var"),
		common.HostRunEnvKey: r.path("run"), common.HostDevEnvKey: r.path("dev"),
		common.HostRootEnvKey: string(r),
	})
}

func (r Root) path(name string) string { return filepath.Join(string(r), name) }

// read returns a small system file; /proc and /sys files have no size to ask for first.
func (r Root) read(name string) (string, error) {
	f, err := os.Open(r.path(name))
	if err != nil {
		return "", err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, 4<<20))
	return strings.TrimSpace(string(data)), err
}

type collector struct {
	root Root
	ctx  context.Context
	host Host
}

// want notes why a fact is missing and tells whether it is there.
func (c *collector) want(what string, err error) bool {
	if err != nil {
		c.host.NotCollected[what] = err.Error()
	}
	return err == nil
}

func (c *collector) system() {
	kernel, err := host.KernelVersionWithContext(c.ctx)
	if c.want("kernel", err) {
		c.host.Kernel = kernel
	}
	release, err := c.root.read("etc/os-release")
	if c.want("distribution", err) {
		c.host.Distribution = prettyName(release)
	}
	clock, err := c.root.read("sys/devices/system/clocksource/clocksource0/current_clocksource")
	if c.want("clock_source", err) {
		c.host.ClockSource = clock
	}
	limits, err := c.root.read("proc/self/limits")
	if c.want("resource_limits", err) {
		c.host.ResourceLimits = parseLimits(limits)
	}
}

func (c *collector) processors() {
	infos, err := cpu.InfoWithContext(c.ctx)
	if err == nil && len(infos) == 0 {
		err = errors.New("the kernel lists no processor")
	}
	if c.want("cpu_model", err) {
		c.host.CPUModel = infos[0].ModelName
		c.host.CPUs = len(infos)
		for _, flag := range infos[0].Flags {
			c.host.Hypervisor = c.host.Hypervisor || flag == "hypervisor"
		}
	}
	online, err := c.root.read("sys/devices/system/cpu/online")
	if c.want("cpus_online", err) {
		c.host.Online = online
	}
	allowed, err := cpus.Allowed()
	if c.want("cpu_affinity", err) {
		c.host.Affinity = allowed
	}
	avg, err := load.AvgWithContext(c.ctx)
	if c.want("load", err) {
		c.host.Load = []float64{avg.Load1, avg.Load5, avg.Load15}
	}
}

func (c *collector) memory() {
	m, err := mem.VirtualMemoryWithContext(c.ctx)
	if err == nil && m.Total == 0 {
		err = errors.New("the kernel tells no total") // gopsutil passes over an unreadable meminfo
	}
	if c.want("memory", err) {
		c.host.Memory, c.host.Swap = m.Total, m.SwapTotal
	}
}

// surroundings tells what lies between the test and the machine.
func (c *collector) surroundings() {
	system, role, err := host.VirtualizationWithContext(c.ctx)
	if c.want("virtualisation", err) {
		c.host.Virtualisation = strings.TrimSpace(system + " " + role)
	}
	c.host.Container = c.root.container()
	limits, err := c.root.cgroupLimits()
	if c.want("container_limits", err) {
		c.host.ContainerLimits = limits
	}
}

// prettyName reads os-release(5).
func prettyName(release string) string {
	for line := range strings.Lines(release) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), "PRETTY_NAME="); ok {
			return strings.Trim(value, `"'`)
		}
	}
	return ""
}

var columns = regexp.MustCompile(`\s{2,}`)

// parseLimits reads /proc/PID/limits (proc_pid_limits(5)): columns padded with spaces, names with single
// spaces inside.
func parseLimits(text string) map[string][2]string {
	limits := make(map[string][2]string)
	for line := range strings.Lines(text) {
		f := columns.Split(strings.TrimSpace(line), -1)
		if name, ok := strings.CutPrefix(f[0], "Max "); ok && len(f) >= 3 {
			limits[name] = [2]string{f[1], f[2]}
		}
	}
	return limits
}
