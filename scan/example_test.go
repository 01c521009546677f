package scan_test

import (
	"context"
	"fmt"
	"log"
	"net"

	"github.com/mxsweep/mxsweep/scan"
)

// Asks one port of one address, as a sweep asks many.
func ExampleConnect() {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	port := server.Addr().(*net.TCPAddr).AddrPort().Port()

	ctx := context.Background()
	targets, err := new(scan.Parser).Targets(ctx, []string{"127.0.0.1"})
	if err != nil {
		log.Fatal(err)
	}
	scope, err := scan.NewScope(scan.Bounds{Targets: targets})
	if err != nil {
		log.Fatal(err)
	}
	space, err := scan.NewSpace(scope, []uint16{port})
	if err != nil {
		log.Fatal(err)
	}
	scanner, err := scan.NewConnect(scan.Config{Scope: scope})
	if err != nil {
		log.Fatal(err)
	}
	for result := range scanner.Scan(ctx, space) {
		fmt.Println(result.Target.Addr(), result.State, result.Reason)
	}
	// Output: 127.0.0.1 open syn-ack
}

func ExampleParsePorts() {
	profiles := map[string][]uint16{"filters": {10024, 10025, 10026}}
	ports, err := scan.ParsePorts("filters,10143,!10025", profiles)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(scan.FormatPorts(ports))
	// Output: 10024,10026,10143
}
