package run

import "strings"

// Signals are what was measured of one attempt, by the names in SignalTable. A signal that could not be
// had is absent, never zero; Evidence.NotCollected and Began.NotCollected say why.
type Signals map[string]int64

// Signal says what a measurement is.
type Signal struct {
	// Name is its key in Signals and in every JSON document.
	Name string
	// Unit is "us" (microseconds), "count", "KiB" or "1/1000".
	Unit string
	// Text says in a few words what is measured.
	Text string
}

// Names of the signals.
const (
	SigMinorFaults    = "minor_faults"
	SigMajorFaults    = "major_faults"
	SigVoluntary      = "voluntary_switches"
	SigInvoluntary    = "involuntary_switches"
	SigRunDelay       = "run_delay_us"
	SigRunDelayWorst  = "run_delay_worst_us"
	SigLongestStall   = "longest_stall_us"
	SigThreadStart    = "thread_start_us"
	SigStart1         = "thread_start_1_us"
	SigStart2         = "thread_start_2_us"
	SigStart3         = "thread_start_3_us"
	SigStart4         = "thread_start_4_us"
	SigStartLast      = "thread_start_last_us"
	SigThreadsMade    = "threads_made"
	SigThreads        = "threads"
	SigProcesses      = "processes"
	SigDescriptors    = "descriptors"
	SigTempFiles      = "temp_files"
	SigMigrations     = "migrations"
	SigPSICPUSome     = "psi_cpu_some_us"
	SigPSICPUFull     = "psi_cpu_full_us"
	SigPSIMemorySome  = "psi_memory_some_us"
	SigPSIMemoryFull  = "psi_memory_full_us"
	SigPSIIOSome      = "psi_io_some_us"
	SigPSIIOFull      = "psi_io_full_us"
	SigSteal          = "steal_us"
	SigThrottled      = "throttled_us"
	SigThrottledTimes = "throttled_periods"
	SigRunnable       = "runnable_per_cpu"
	SigFirstOutput    = "first_output_us"
	SigStop           = "stop_us"
)

// EventFirstOutput is the event every attempt with output has: its first byte.
const EventFirstOutput = "first_output"

// GapSignal is the name of the time from one named event of an attempt to the next one, in microseconds.
// Such signals are as many as the user's markers make them and not in SignalTable.
func GapSignal(from, to string) string { return gapPrefix + from + ":" + to }

// Gap tells the two events a signal is the gap between, if it is one.
func Gap(signal string) (from, to string, ok bool) {
	rest, ok := strings.CutPrefix(signal, gapPrefix)
	if !ok {
		return "", "", false
	}
	return strings.Cut(rest, ":")
}

const gapPrefix = "gap_us:"

// SignalTable lists every signal in the order in which reports show it. Wall time, CPU time and peak
// memory are fields of Finished and not repeated here.
func SignalTable() []Signal {
	return []Signal{
		{SigRunDelay, "us", "time runnable and not running, all threads together"},
		{SigRunDelayWorst, "us", "time runnable and not running, the worst thread"},
		{SigLongestStall, "us", "longest single time runnable and not running"},
		{SigThreadStart, "us", "longest time from a thread's creation to its first moment on a CPU"},
		{SigStart1, "us", "time from the creation of the first thread or process it made to its first moment on a CPU"},
		{SigStart2, "us", "the same of the second one"},
		{SigStart3, "us", "the same of the third one"},
		{SigStart4, "us", "the same of the fourth one"},
		{SigStartLast, "us", "the same of the last one"},
		{SigInvoluntary, "count", "involuntary context switches"},
		{SigVoluntary, "count", "voluntary context switches"},
		{SigMigrations, "count", "moves from one CPU to another"},
		{SigThreads, "count", "threads, at most"},
		{SigThreadsMade, "count", "threads and processes made in all, the main one not counted"},
		{SigProcesses, "count", "processes, at most"},
		{SigDescriptors, "count", "open file descriptors of all its processes, the most at one look"},
		{SigTempFiles, "count", "files and folders it left in its temporary folder"},
		{SigMinorFaults, "count", "page faults without a disk"},
		{SigMajorFaults, "count", "page faults that read a disk"},
		{SigPSICPUSome, "us", "time in which some task of the machine waited for a CPU"},
		{SigPSICPUFull, "us", "time in which all tasks waited for a CPU"},
		{SigPSIMemorySome, "us", "time in which some task of the machine waited for memory"},
		{SigPSIMemoryFull, "us", "time in which all tasks waited for memory"},
		{SigPSIIOSome, "us", "time in which some task of the machine waited for a disk"},
		{SigPSIIOFull, "us", "time in which all tasks waited for a disk"},
		{SigSteal, "us", "CPU time the hypervisor gave to others, per CPU"},
		{SigThrottled, "us", "time its control group was throttled by a CPU quota"},
		{SigThrottledTimes, "count", "periods in which its control group was throttled"},
		{SigRunnable, "1/1000", "runnable tasks per CPU meanwhile, mean"},
		{SigFirstOutput, "us", "time from the start to the first byte of output"},
		{SigStop, "us", "time from heisen's first signal to the end"},
	}
}
