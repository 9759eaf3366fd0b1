package interleave

// change is one step of an alignment of two sequences: an index of the first, of the second, or of both
// where they agree; -1 for none.
type change struct{ a, b int }

// alignTo bounds the work of an alignment; longer sequences are compared by their beginnings.
const alignTo = 1500

// align finds a longest common subsequence and lists both sequences along it. Where there are several, what
// is only in a comes before what is only in b. It takes time and memory of len(a)·len(b).
//
// Source: R. A. Wagner, M. J. Fischer, "The string-to-string correction problem", Journal of the ACM 21
// (1974), 168-173.
func align(a, b []int32) (steps []change, common int) {
	a, b = a[:min(len(a), alignTo)], b[:min(len(b), alignTo)]
	width := len(b) + 1
	best := make([]uint16, (len(a)+1)*width) // of the suffixes from i and j
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				best[i*width+j] = best[(i+1)*width+j+1] + 1
			} else {
				best[i*width+j] = max(best[(i+1)*width+j], best[i*width+j+1])
			}
		}
	}
	for i, j := 0, 0; i < len(a) || j < len(b); {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			steps = append(steps, change{i, j})
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && best[(i+1)*width+j] >= best[i*width+j+1]:
			steps = append(steps, change{i, -1})
			i++
		default:
			steps = append(steps, change{-1, j})
			j++
		}
	}
	return steps, int(best[0])
}

// commonLength is align's common alone, in memory of len(b).
func commonLength(a, b []int32) int {
	a, b = a[:min(len(a), alignTo)], b[:min(len(b), alignTo)]
	row := make([]int, len(b)+1)
	for _, x := range a {
		diagonal := 0
		for j, y := range b {
			above := row[j+1]
			if x == y {
				row[j+1] = diagonal + 1
			} else {
				row[j+1] = max(above, row[j])
			}
			diagonal = above
		}
	}
	return row[len(b)]
}

// interner numbers texts.
type interner map[string]int32

func (n interner) of(text string) int32 {
	i, ok := n[text]
	if !ok {
		i = int32(len(n))
		n[text] = i
	}
	return i
}

func (n interner) sequence(f *Form) []int32 {
	list := make([]int32, len(f.Events))
	for i, e := range f.Events {
		list[i] = n.of(bare(e))
	}
	return list
}
