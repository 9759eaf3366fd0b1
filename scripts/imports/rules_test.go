package imports

// rule is one row: packages that match from (and not except) never import what matches never (and not but).
//
// A pattern is an import path, with "/..." for it and everything below it; "std" is any package of the
// standard library and "all" is any package.
type rule struct {
	reason string
	from   []string
	except []string
	never  []string
	but    []string
	// sameRoom allows imports within one room, such as stress/proc and stress/proc/guard.
	sameRoom bool
	// through also forbids reaching it by way of other packages of ours.
	through bool
}

// kernelRooms are the only places that talk to the kernel past the standard library. campaign is among
// them for flock(2), strain and planted for hogs and tests that use the machine, those of repro for opening files without
// following links, for facts of the host and for ending a build with all that it started.
var kernelRooms = []string{
	"heisen/stress/proc/...", "heisen/stress/starve/...", "heisen/stress/interleave/...", "heisen/stress/chaos/...",
	"heisen/stress/durable/...", "heisen/stress/doctor/...", "heisen/stress/campaign/...",
	"heisen/repro/bundle/...", "heisen/repro/provenance/...", "heisen/repro/checkout/...",
	"heisen/stress/strain/...", "heisen/stress/planted/...", "heisen/stress/cpus",
}

var rules = []rule{
	{
		reason:  "the engine runs attempts; it does not know what is made of their evidence afterwards",
		from:    []string{"heisen/stress/..."},
		never:   []string{"heisen/repro/...", "heisen/reports/...", "heisen/cmd/..."},
		through: true,
	},
	{
		reason:  "replaying and minimising work without any report",
		from:    []string{"heisen/repro/..."},
		never:   []string{"heisen/reports/...", "heisen/cmd/..."},
		through: true,
	},
	{
		reason: "what evidence proves is decided from counts alone, so that it can be simulated: the caller runs, reads and writes",
		from:   []string{"heisen/repro/soak", "heisen/repro/minimize"},
		never:  []string{"os", "os/exec", "net/...", "syscall", "heisen/..."},
		but:    []string{"heisen/stress/run", "heisen/stress/stats"},
	},
	{
		reason: "wiring is the top: nothing depends on it",
		from:   []string{"heisen/reports/..."},
		never:  []string{"heisen/cmd/..."},
	},
	{
		// durable, stats, mix and cpus are under the leaves: one for those that write, two pure arithmetic, one fact of the machine.
		reason:   "leaves speak in the nouns and know nothing of one another; the engine and cmd put them together",
		from:     []string{"heisen/stress/..."},
		except:   []string{"heisen/stress", "heisen/stress/campaign/...", "heisen/stress/tally/..."},
		never:    []string{"heisen/..."},
		but:      []string{"heisen/stress/run", "heisen/stress/durable", "heisen/stress/stats", "heisen/stress/mix", "heisen/stress/cpus"},
		sameRoom: true,
	},
	{
		reason:   "a campaign's folder is a journal and what is folded from it; it runs nothing",
		from:     []string{"heisen/stress/campaign/..."},
		never:    []string{"heisen/..."},
		but:      []string{"heisen/stress/run", "heisen/stress/durable", "heisen/stress/journal", "heisen/stress/tally"},
		sameRoom: true,
	},
	{
		reason:   "the one fold holds what other pure rooms fold, and touches nothing",
		from:     []string{"heisen/stress/tally/..."},
		never:    []string{"heisen/..."},
		but:      []string{"heisen/stress/run", "heisen/stress/stats", "heisen/stress/contrast", "heisen/stress/mix"},
		sameRoom: true,
	},
	{
		reason: "what is under the leaves is under nothing of ours",
		from:   []string{"heisen/stress/durable", "heisen/stress/stats", "heisen/stress/cpus"},
		never:  []string{"heisen/..."},
	},
	{
		reason: "the nouns are pure: no files, no processes, no network; syscall only for the numbers of signals and errors",
		from:   []string{"heisen/stress/run"},
		never:  []string{"all"},
		but: []string{
			"bytes", "cmp", "encoding/...", "errors", "fmt", "hash/...", "iter", "maps", "math/...", "regexp/...",
			"slices", "sort", "strconv", "strings", "sync/...", "syscall", "time", "unicode/...",
		},
	},
	{
		// tool is for tests, which look at reports with the programs that they are for.
		reason: "a report starts no process",
		from:   []string{"heisen/reports/..."},
		except: []string{"heisen/reports/internal/tool"},
		never:  []string{"os/exec"},
	},
	{
		reason:  "a report starts no process, not through a room of ours either",
		from:    []string{"heisen/reports/..."},
		never:   []string{"heisen/stress/proc/...", "heisen/stress/chaos/...", "heisen/stress/doctor/..."},
		through: true,
	},
	{
		reason: "the dashboard alone answers others, and who may ask is decided there",
		from:   []string{"heisen/..."},
		except: []string{"heisen/reports/serve", "heisen/scripts/..."},
		never:  []string{"net/http/...", "github.com/prometheus/client_golang/..."},
	},
	{
		reason: "flags, help texts and exit codes are wiring; everything else can be used without a command line",
		from:   []string{"heisen/..."},
		except: []string{"heisen/cmd/..."},
		never:  []string{"github.com/urfave/cli/..."},
	},
	{
		reason: "raw system calls stay where their kernel facts are documented and tested",
		from:   []string{"heisen/..."},
		except: append([]string{"heisen/stress/run", "heisen/scripts/..."}, kernelRooms...),
		never:  []string{"golang.org/x/sys/...", "syscall"},
	},
	{
		// Packages that serve only tests may use them; the binary must not reach those either.
		reason:  "packages for tests do not belong in the binary",
		from:    []string{"heisen/cmd/..."},
		through: true,
		never: []string{"testing/...", "github.com/stretchr/testify/...", "pgregory.net/rapid", "go.uber.org/goleak", "github.com/rogpeppe/go-internal/testscript/...",
			"github.com/chromedp/...", "github.com/yuin/goldmark/..."},
	},
}

// badNames say nothing about what a package provides, so that everything ends up in it.
var badNames = []string{"util", "utils", "common", "helper", "helpers", "misc", "shared", "lib"}
