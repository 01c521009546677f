package configured_test

import (
	"fmt"
	"log"
	"os"
	"path"
	"path/filepath"
	"time"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/gate"
	"github.com/mxsweep/mxsweep/run/configured"
	"github.com/mxsweep/mxsweep/signatures"
)

func ExampleAudit() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, "clamd.conf"), []byte("TCPSocket 3310\n"), 0o600); err != nil {
		log.Fatal(err)
	}
	ports, err := signatures.DefaultPorts()
	if err != nil {
		log.Fatal(err)
	}
	rules, err := exposure.Builtin()
	if err != nil {
		log.Fatal(err)
	}
	criteria, err := gate.Demands{FailOn: "any:high"}.Criteria(nil, rules)
	if err != nil {
		log.Fatal(err)
	}
	a := &configured.Audit{Rules: rules, Ports: ports, Gate: criteria, Now: time.Now(), MinDecided: 1}
	if err := a.Read([]string{dir}); err != nil {
		log.Fatal(err)
	}
	c := a.Conclude()
	for _, f := range c.Findings {
		fmt.Printf("%s:%d: %s\n", path.Base(f.Host), f.Anchor.Line, f.Title)
		fmt.Println(f.Listener.Edit.Says())
	}
	fmt.Println(c.Decision.Gate)
	// Output:
	// clamd.conf:1: Virus scanner daemon bound to all addresses
	// add the line `TCPAddr 127.0.0.1` after this one
	// fail
}
