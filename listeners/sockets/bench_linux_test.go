package sockets

import "testing"

// BenchmarkList measures List on this machine. It must be below 50 ms, with hundreds of
// processes.
func BenchmarkList(b *testing.B) {
	for b.Loop() {
		s, err := List(b.Context(), Options{})
		if err != nil {
			b.Fatal(err)
		}
		if len(s.Sockets) == 0 && len(s.Gaps) == 0 {
			b.Fatal("nothing was seen")
		}
	}
}
