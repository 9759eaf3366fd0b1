// Package cpus tells which CPUs this process may use.
package cpus
