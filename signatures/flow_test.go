package signatures

import (
	"slices"
	"strings"
	"testing"
)

// The ports next to one in a flow are read from its words.
func TestNeighbors(t *testing.T) {
	t.Parallel()
	ports, err := DefaultPorts()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		port          uint16
		flow          string
		before, after []uint16
	}{
		{10024, "Postfix on 25 -> 10024 -> re-injection on 10025", []uint16{25}, []uint16{10025}},
		{10025, "Postfix on 25 -> 10024 -> re-injection on 10025", []uint16{10024}, nil},
		{10026, "dkimproxy.in 10025 or spampd 10025 -> 10026 -> queue", []uint16{10025, 10025}, nil},
		{143, "mail clients -> 143 -> back end on 7143 or 10143", nil, []uint16{7143, 10143}},
		{1143, "mail clients -> 1143 -> Exchange or Microsoft 365", nil, nil},
		{10465, "HAProxy -> PROXY protocol -> 10465", nil, nil},
		{25, "mail -> 10025", nil, nil},
		{25, "99999999999 -> 25 -> 65999", nil, nil},
	} {
		before, after := ports.Neighbors(tt.port, &Use{Flow: tt.flow})
		if !slices.Equal(before, tt.before) || !slices.Equal(after, tt.after) {
			t.Errorf("%d in %q is between %v and %v, want %v and %v", tt.port, tt.flow, before, after, tt.before, tt.after)
		}
	}
}

// Each flow names the port that it is of, so that what is before and after it is found. The
// entry of a range may name another port of it.
func TestFlowsNameTheirOwnPort(t *testing.T) {
	t.Parallel()
	ports, err := DefaultPorts()
	if err != nil {
		t.Fatal(err)
	}
	for _, known := range ports.All() {
		for _, use := range known.Uses {
			if !strings.Contains(use.Flow, "->") {
				continue // a further instance of whatever it may be
			}
			named := slices.ContainsFunc(strings.Split(use.Flow, "->"), func(part string) bool {
				return slices.ContainsFunc(ports.portsIn(part), func(n uint16) bool {
					k, _ := ports.Lookup(n)
					return k.Title == known.Title
				})
			})
			if !named {
				t.Errorf("port %d: the flow %q of %s does not name it", known.Number, use.Flow, use.Product)
			}
		}
	}
}
