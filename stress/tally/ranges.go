package tally

import (
	"iter"
	"slices"
)

// span is the numbers from First to Last, both included.
type span struct {
	First int64 `json:"f"`
	Last  int64 `json:"l"`
}

// ranges is a set of attempt numbers. Attempts finish nearly in the order of their numbers, so millions
// of them are a handful of spans.
type ranges []span

// find returns the index of the first span that ends at n or later.
func (r ranges) find(n int64) int {
	i, _ := slices.BinarySearchFunc(r, n, func(s span, n int64) int {
		if s.Last < n {
			return -1
		}
		return 1
	})
	return i
}

func (r ranges) has(n int64) bool {
	i := r.find(n)
	return i < len(r) && r[i].First <= n
}

// add puts n into the set and tells whether it was new.
func (r *ranges) add(n int64) bool {
	s := *r
	i := s.find(n)
	if i < len(s) && s[i].First <= n {
		return false
	}
	joinsLeft := i > 0 && s[i-1].Last == n-1
	joinsRight := i < len(s) && s[i].First == n+1
	switch {
	case joinsLeft && joinsRight:
		s[i-1].Last = s[i].Last
		*r = slices.Delete(s, i, i+1)
	case joinsLeft:
		s[i-1].Last = n
	case joinsRight:
		s[i].First = n
	default:
		*r = slices.Insert(s, i, span{n, n})
	}
	return true
}

// missing yields, in order and without end, the numbers from 1 that are not in the set.
func (r ranges) missing() iter.Seq[int64] {
	return func(yield func(int64) bool) {
		next := int64(1)
		for _, s := range r {
			for ; next < s.First; next++ {
				if !yield(next) {
					return
				}
			}
			next = max(next, s.Last+1)
		}
		for ; ; next++ {
			if !yield(next) {
				return
			}
		}
	}
}
