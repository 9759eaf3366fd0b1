package stress

import "container/heap"

// SpareSlots is how many attempts may be in their finish stage beyond those that run: the next attempts
// start while the last ones' records are on their way to the disk.
const SpareSlots = 64

// slots lends the small numbers that name what copies must not share; the lowest free one first, so that
// numbers stay below the campaign's width when attempts are long.
type slots struct {
	free intHeap
	made int
	most int
}

// MaxSlots is how many slots a campaign of such a width may use: slots are numbered from 0 to one less.
func MaxSlots(width int) int { return width + SpareSlots }

func newSlots(width int) *slots { return &slots{most: MaxSlots(width)} }

// take lends a slot; false when all are out.
func (s *slots) take() (int, bool) {
	if len(s.free) > 0 {
		return heap.Pop(&s.free).(int), true
	}
	if s.made >= s.most {
		return 0, false
	}
	s.made++
	return s.made - 1, true
}

// give takes a slot back.
func (s *slots) give(slot int) { heap.Push(&s.free, slot) }

// retire drops a slot for good (its folder could not be emptied) and lets a new one take its place.
func (s *slots) retire() { s.most++ }

type intHeap []int

func (h intHeap) Len() int           { return len(h) }
func (h intHeap) Less(i, j int) bool { return h[i] < h[j] }
func (h intHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *intHeap) Push(x any)        { *h = append(*h, x.(int)) }
func (h *intHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	*h = old[:len(old)-1]
	return last
}
