package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/mxsweep/mxsweep/exposure/gate"
	"github.com/mxsweep/mxsweep/internal/mailtest"
)

// TestFlagsAreGrouped checks that each flag of a scan is in the help exactly
// once: ten at the top, the rest in groups, and only --help outside of them.
func TestFlagsAreGrouped(t *testing.T) {
	flags := pflag.NewFlagSet("scan", pflag.ContinueOnError)
	new(scanFlags).register(flags)
	flags.BoolP("help", "h", false, "help")
	var titles, names []string
	for _, part := range sections(flags) {
		titles = append(titles, part.title)
		if part.title == "Other flags" && len(part.flags) != 1 {
			t.Errorf("%d flags are in no group", len(part.flags)-1)
		}
		for _, f := range part.flags {
			names = append(names, f.Name)
		}
	}
	want := []string{"Most used flags", groupTargets, groupScan, groupIdentification, groupGate, groupOutput, "Other flags"}
	if !slices.Equal(titles, want) {
		t.Errorf("the sections are %q, want %q", titles, want)
	}
	if len(firstFlags) != 10 || !slices.Equal(names[:10], firstFlags) {
		t.Errorf("the first flags are %q, want the ten %q", names[:10], firstFlags)
	}
	flags.VisitAll(func(f *pflag.Flag) {
		n := 0
		for _, name := range names {
			if name == f.Name {
				n++
			}
		}
		if n != 1 {
			t.Errorf("--%s is listed %d times", f.Name, n)
		}
	})
}

// TestHelpListsEachFlagOnce checks what is printed, also on a narrow terminal.
func TestHelpListsEachFlagOnce(t *testing.T) {
	for _, columns := range []string{"", "60", "140"} {
		var out, errs bytes.Buffer
		env := func(key string) string { return map[string]string{"COLUMNS": columns}[key] }
		if code := program(context.Background(), []string{"scan", "--help"}, nil, &out, &errs, env); code != 0 {
			t.Fatalf("exit code %d: %s", code, &errs)
		}
		for _, name := range []string{"--scope FILE", "--policy FILE", "--verbose ", "--help "} {
			if n := strings.Count(out.String(), " "+name); n != 1 {
				t.Errorf("with %q columns %q stands there %d times", columns, name, n)
			}
		}
	}
}

// TestHelpIsWritten checks that help that cannot be written is an error, like any
// other output.
func TestHelpIsWritten(t *testing.T) {
	r, full := io.Pipe()
	r.CloseWithError(errors.New("no space left"))
	for _, args := range [][]string{{"scan", "--help"}, {"help", "merge"}, {"--help"}} {
		var errs bytes.Buffer
		code := program(t.Context(), args, nil, full, &errs, func(string) string { return "" })
		if want := "mxsweep: writing standard output: no space left\n"; code != int(gate.ExitError) || errs.String() != want {
			t.Errorf("%q: exit code %d: %s", args, code, &errs)
		}
	}
}

// TestDemoListsByPort occupies a usual port of the demo: the list is sorted by
// the actual ports, and says which port was taken.
func TestDemoListsByPort(t *testing.T) {
	address := netip.MustParseAddr("127.0.0.19")
	taken, err := net.Listen("tcp", netip.AddrPortFrom(address, 10040).String())
	if err != nil {
		t.Skipf("an address of loopback is not there: %v", err)
	}
	defer taken.Close()
	stack, err := mailtest.StartStack(address)
	if err != nil {
		t.Fatal(err)
	}
	defer stack.Close()
	var b bytes.Buffer
	introduce(&b, address.String(), stack)
	var ports []int
	for line := range strings.Lines(b.String()) {
		if n, err := strconv.Atoi(strings.Fields(line)[1]); err == nil {
			ports = append(ports, n)
		}
	}
	if len(ports) != len(stack.Services) || !slices.IsSorted(ports) {
		t.Errorf("the ports of %d services are not sorted: %v", len(stack.Services), ports)
	}
	if !strings.Contains(b.String(), "(its usual port 10040 is in use)") {
		t.Errorf("nothing says that a port was taken:\n%s", &b)
	}
}
