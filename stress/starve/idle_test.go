package starve

import (
	"testing"

	"github.com/shirou/gopsutil/v3/cpu"
	"github.com/stretchr/testify/require"
)

func TestIdleIsSinceTheLastQuestion(t *testing.T) {
	var i Idle
	i.since(cpu.TimesStat{User: 100, Idle: 300})
	require.InDelta(t, 0.75, i.since(cpu.TimesStat{User: 101, Idle: 302, Iowait: 1}), 1e-9)
	require.Zero(t, i.since(cpu.TimesStat{User: 101, Idle: 302, Iowait: 1}), "no time has passed")
	require.Zero(t, i.since(cpu.TimesStat{User: 103, Steal: 5, Idle: 302, Iowait: 1}))
}

func TestIdleOfThisMachine(t *testing.T) {
	var i Idle
	share := i.Share()
	require.True(t, share >= 0 && share <= 1, "%v", share)
}
