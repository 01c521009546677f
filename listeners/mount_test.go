package listeners

import (
	"fmt"
	"slices"
	"testing"

	"github.com/mxsweep/mxsweep/result"
)

func TestInContainer(t *testing.T) {
	c := &Config{Mounts: []Mount{{Name: "a/conf", Service: "x"}, {Name: "a/conf", Service: "x"}, {Name: "a/conf/y.cf", Service: "y"}, {Name: "a/host", Service: "z", HostNetwork: true}, {Name: "img"}, {Name: "."}}}
	check := func(file, services string, contained bool) {
		t.Helper()
		got, in := c.InContainer(file)
		if fmt.Sprint(got) != services || in != contained {
			t.Errorf("%s: %v, %t", file, got, in)
		}
	}
	check("a/conf", "[x]", true)
	check("a/conf/sub/b", "[x]", true)
	check("a/conf/y.cf", "[y x]", true)
	check("a/confer", "[]", false)
	check("a/host/b", "[]", false)
	check("img/b", "[]", true)
	check("b", "[]", false)
	check("/", "[]", false)
	c.Mounts = append(c.Mounts, Mount{Name: "b", Service: "w"})
	check("b", "[w]", true)
	if got, _ := c.Part().InContainer("a/conf/z"); !slices.Equal(got, []string{"x"}) {
		t.Errorf("a part: %v", got)
	}
}

// TestManyMounts holds that the work for a file does not grow with the number of mounts.
func TestManyMounts(t *testing.T) {
	var c Config
	for i := range 20_000 {
		c.Mounts = append(c.Mounts, Mount{Name: "conf", Service: fmt.Sprint(i)}, Mount{Name: fmt.Sprintf("conf/%d", i), Service: fmt.Sprint(-i)})
	}
	for i := range 2_000 {
		c.AddListener(&Listener{Port: 1, Service: "x", At: result.Anchor{File: fmt.Sprintf("conf/%d/x", i), Line: 1}})
	}
	c.Contain()
	index := c.mounts
	for range 2_000 {
		c.Part().InContainer("conf/1/x")
	}
	if want := 3 * 4_000; c.mounts != index || index.looked != want || index.count != len(c.Mounts) {
		t.Errorf("%d names were looked up, want %d", index.looked, want)
	}
	if services, contained := c.InContainer("conf/1/x"); len(services) != maxServices || !contained {
		t.Errorf("%d services, %t", len(services), contained)
	}
}
