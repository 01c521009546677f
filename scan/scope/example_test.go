package scope_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/mxsweep/mxsweep/scan/scope"
)

// Reads a scope file and lists the pairs of address and port that it comes to,
// in the order in which a sweep asks them.
func Example() {
	dir, err := os.MkdirTemp("", "scope")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "scope.txt")
	const lines = "192.0.2.0/30   # the mail hosts\n!192.0.2.2     # not ours\n"
	if err := os.WriteFile(file, []byte(lines), 0o600); err != nil {
		log.Fatal(err)
	}

	allowed, excluded, err := new(scope.Parser).ScopeFile(context.Background(), file)
	if err != nil {
		log.Fatal(err)
	}
	set, err := scope.New(scope.Bounds{Allowed: allowed, Excluded: excluded})
	if err != nil {
		log.Fatal(err)
	}
	ports, err := scope.ParsePorts("10025,10143", nil)
	if err != nil {
		log.Fatal(err)
	}
	space, err := scope.NewSpace(set, ports)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(set.Addresses(), "addresses, ports", scope.FormatPorts(ports))
	order := scope.NewOrder(space.Len(), 1)
	for place := range space.Len() {
		fmt.Println(space.At(order.At(place)))
	}
	// Output:
	// 3 addresses, ports 10025,10143
	// 192.0.2.3:10025
	// 192.0.2.0:10025
	// 192.0.2.1:10143
	// 192.0.2.1:10025
	// 192.0.2.0:10143
	// 192.0.2.3:10143
}

func ExampleParsePorts() {
	profiles := map[string][]uint16{"filters": {10024, 10025, 10026}}
	ports, err := scope.ParsePorts("filters,10143,!10025", profiles)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(scope.FormatPorts(ports))
	// Output: 10024,10026,10143
}
