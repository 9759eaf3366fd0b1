package travel

import (
	"math"
	"regexp"
)

// randomRule is the name of the rule that guesses: a finding of it is no proof.
const randomRule = "random text"

// What counts as random text. The bounds are those at which words of source, paths, hexadecimal hashes (at most
// 4 bits a character) and the digits of test output stay below, and 24 drawn characters of base64 come out
// above in nine of ten cases.
const (
	randomLeast   = 24  // characters
	randomMost    = 512 // a longer run is data, not a key
	randomEntropy = 4.2 // bits a character
)

// token is a run of characters keys are made of. A slash ends it, or every path would be one.
var token = regexp.MustCompile(`[A-Za-z0-9+_=-]{24,}`)

// random finds text that looks drawn: long, of many different characters, with capitals, small letters and
// digits together.
func random(text []byte) [][2]int {
	var spans [][2]int
	for _, m := range token.FindAllIndex(text, -1) {
		word := text[m[0]:m[1]]
		if len(word) <= randomMost && mixed(word) && entropy(word) >= randomEntropy {
			spans = append(spans, [2]int{m[0], m[1]})
		}
	}
	return spans
}

func mixed(word []byte) bool {
	var upper, lower, digit int
	for _, c := range word {
		switch {
		case c >= 'A' && c <= 'Z':
			upper++
		case c >= 'a' && c <= 'z':
			lower++
		case c >= '0' && c <= '9':
			digit++
		}
	}
	return upper >= 3 && lower >= 3 && digit >= 2
}

// entropy is Shannon's, in bits a character, of the characters' frequencies (C. E. Shannon, "A mathematical
// theory of communication", Bell System Technical Journal 27, 1948).
func entropy(word []byte) float64 {
	var counts [256]int
	for _, c := range word {
		counts[c]++
	}
	h := 0.0
	for _, n := range counts {
		if n > 0 {
			p := float64(n) / float64(len(word))
			h -= p * math.Log2(p)
		}
	}
	return h
}
