package scope

import "math/bits"

// An Order is a pseudo-random permutation of the numbers below n. Its size does not
// depend on n.
//
// It is a Feistel network over the smallest power of two that is not below n, repeated
// until the result is below n again (Black and Rogaway, "Ciphers with Arbitrary Finite
// Domains", CT-RSA 2002, method 2): at most two steps on average.
type Order struct {
	n           uint64
	left, right uint64 // masks of the two halves
	shift       uint   // width of the right half
	keys        [rounds]uint64
}

// rounds is even, so that both halves are changed equally often. Eight make
// the order of even a dozen numbers look random.
const rounds = 8

// NewOrder returns the order of the numbers below n for a seed. The same n and seed
// give the same order in every version and on every machine.
func NewOrder(n, seed uint64) Order {
	width := uint(2)
	if n > 4 {
		width = uint(bits.Len64(n - 1))
	}
	o := Order{n: n, shift: width - width/2}
	o.right = 1<<o.shift - 1
	o.left = 1<<(width/2) - 1
	for i := range o.keys {
		seed += 0x9e3779b97f4a7c15
		o.keys[i] = mix(seed)
	}
	return o
}

// At returns the number at place i, which is below n.
func (o *Order) At(i uint64) uint64 {
	for {
		l, r := i>>o.shift, i&o.right
		for k := 0; k < rounds; k += 2 {
			l ^= mix(r+o.keys[k]) & o.left
			r ^= mix(l+o.keys[k+1]) & o.right
		}
		if i = l<<o.shift | r; i < o.n {
			return i
		}
	}
}

// Place returns the place of a number below n: Place(At(i)) is i.
func (o *Order) Place(number uint64) uint64 {
	for i := number; ; {
		l, r := i>>o.shift, i&o.right
		for k := rounds - 2; k >= 0; k -= 2 {
			r ^= mix(l+o.keys[k+1]) & o.right
			l ^= mix(r+o.keys[k]) & o.left
		}
		if i = l<<o.shift | r; i < o.n {
			return i
		}
	}
}

// mix scatters the bits of x (the finalizer of SplitMix64; Steele, Lea and Flood,
// "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
