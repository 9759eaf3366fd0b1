package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCrowdedIsWhereAttemptsWaitForEachOthersCPUs(t *testing.T) {
	require.True(t, crowded(16, 2, 25, 240), "16 at once, each a tenth of a CPU: 1.7 of 2")
	require.False(t, crowded(16, 2, 2, 240), "they sleep")
	require.False(t, crowded(2, 64, 200, 240), "62 CPUs stand still")
	require.False(t, crowded(16, 2, 0, 0), "nothing was seen")
}
