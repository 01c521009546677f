package scan_test

import (
	"context"
	"fmt"
	"log"
	"net"

	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/scan/scope"
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
	targets, err := new(scope.Parser).Targets(ctx, []string{"127.0.0.1"})
	if err != nil {
		log.Fatal(err)
	}
	set, err := scope.New(scope.Bounds{Targets: targets})
	if err != nil {
		log.Fatal(err)
	}
	space, err := scope.NewSpace(set, []uint16{port})
	if err != nil {
		log.Fatal(err)
	}
	scanner, err := scan.NewConnect(scan.Config{Scope: set})
	if err != nil {
		log.Fatal(err)
	}
	for result := range scanner.Scan(ctx, space) {
		fmt.Println(result.Target.Addr(), result.State, result.Reason)
	}
	// Output: 127.0.0.1 open syn-ack
}
