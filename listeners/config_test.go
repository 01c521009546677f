package listeners

import (
	"fmt"
	"testing"

	"github.com/mxsweep/mxsweep/result"
)

// TestBounds adds more than there is room for, of one file and then of many.
func TestBounds(t *testing.T) {
	var one, all Config
	at := func(i int) result.Anchor { return result.Anchor{File: "a", Line: i + 1} }
	for i := range 2 * MaxListeners {
		l := Listener{Service: "x", Port: 1, At: at(i)}
		if added := one.AddListener(&l); added != (i < MaxListeners) {
			t.Fatalf("listener %d: %v", i, added)
		}
		if want := fmt.Sprintf("x, number %d", i+1); i > 0 && i < MaxListeners && l.Service != want {
			t.Fatalf("listener %d is called %s", i, l.Service)
		}
		if added := one.AddEdge(Edge{Port: 1, At: at(i)}); added != (i < MaxEdges) {
			t.Fatalf("edge %d: %v", i, added)
		}
		one.AddDoubt("x", at(i))
		one.AddDoubt("x", at(0))
	}
	if len(one.Listeners) != MaxListeners || len(one.Edges) != MaxEdges || len(one.Doubts) != MaxDoubts+3 {
		t.Errorf("%d listeners, %d edges, %d doubts", len(one.Listeners), len(one.Edges), len(one.Doubts))
	}
	const want = "there are more than 10000 edges; the rest is left out"
	if d := one.Doubts[len(one.Doubts)-1]; d.Problem != want || d.At != at(MaxEdges) {
		t.Errorf("%+v", d)
	}
	for i := range 2 * ofAll {
		for j := range one.Listeners {
			one.Listeners[j].At.Column = i
		}
		all.Add(one)
		all.Add(one)
	}
	if len(all.Listeners) != MaxListeners*ofAll || len(all.Edges) != MaxEdges || len(all.Doubts) != MaxDoubts+4 {
		t.Errorf("%d listeners, %d edges, %d doubts of all", len(all.Listeners), len(all.Edges), len(all.Doubts))
	}
}
