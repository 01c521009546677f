package sockettest

import (
	"math/rand/v2"
	"slices"
)

// Mutate returns text after 1 to most changes at random places: a byte replaced or inserted, one
// removed, or fewer than cut. New bytes are taken from those of signs.
func Mutate(r *rand.Rand, text, signs string, most, cut int) string {
	b := []byte(text)
	for range 1 + r.IntN(most) {
		if len(b) == 0 {
			break
		}
		at := r.IntN(len(b))
		switch c := signs[r.IntN(len(signs))]; r.IntN(4) {
		case 0:
			b[at] = c
		case 1:
			b = slices.Insert(b, at, c)
		case 2:
			b = slices.Delete(b, at, at+1)
		default:
			b = slices.Delete(b, at, min(len(b), at+r.IntN(cut)))
		}
	}
	return string(b)
}
