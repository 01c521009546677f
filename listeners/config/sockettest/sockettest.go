// Package sockettest starts real daemons in network namespaces of their own, for tests that
// compare what a reader says of a configuration with what the daemon listens on.
package sockettest

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/internal/gate"
	"github.com/mxsweep/mxsweep/listeners"
)

// variable is the environment variable that says how many configurations tests generate.
const variable = "MXSWEEP_ORACLE_RUNS"

// Count returns how many configurations a test generates: few, or MXSWEEP_ORACLE_RUNS.
func Count(t *testing.T, few int) int {
	t.Helper()
	n, err := strconv.Atoi(os.Getenv(variable))
	if err != nil {
		return few
	}
	t.Logf("%s=%d", variable, n)
	return n
}

// Runs is Count for a test that starts daemons. It is skipped if neither MXSWEEP_E2E nor
// MXSWEEP_ORACLE_RUNS requests it, or a program is not installed.
func Runs(t *testing.T, few int, programs ...string) int {
	t.Helper()
	n := Count(t, few)
	if os.Getenv(variable) != "" {
		t.Setenv(gate.Variable, "1")
	}
	gate.Namespaces(t, append(programs, "unshare", "ip", "ss")...)
	return n
}

// Sentinel is a port of 127.0.0.1 on which the daemon listens after all others, so that
// Listening knows when to look.
const Sentinel = 9999

// script starts a command in the background, waits for the sentinel or the end of the command,
// and prints what listens.
const script = `
ip link set lo up && ip addr add 10.0.0.5/32 dev lo && ip addr add fd00::5/128 dev lo nodad
"$@" >&2 &
while kill -0 $! 2>/dev/null && ! ss -Hltn | grep -q '[:.]9999 '; do :; done
if ss -Hltn | grep -q '[:.]9999 '; then ss -Hltn; kill $!; wait; else exit 1; fi
`

// Listening starts a command that stays in the foreground, and returns what listens when the
// sentinel does, as ss(8) writes it, sorted and without the sentinel; starts is false if the
// command ended before that. The namespace has the addresses 10.0.0.5 and fd00::5.
func Listening(t *testing.T, command ...string) (sockets []string, starts bool, messages string) {
	t.Helper()
	args := append([]string{"--net", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", script, "sh"}, command...)
	cmd := exec.Command("unshare", args...)
	var out, errors strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errors
	err := cmd.Run()
	for line := range strings.Lines(out.String()) {
		if fields := strings.Fields(line); len(fields) > 3 {
			sockets = append(sockets, fields[3])
		}
	}
	return sorted(sockets), err == nil, errors.String()
}

// counting runs a script in the background that starts daemons, waits until enough sockets
// listen or the time is over, and prints what listens a moment later.
const counting = `
ip link set lo up && ip addr add 10.0.0.5/32 dev lo && ip addr add fd00::5/128 dev lo nodad
sh -c "$2" >&2 &
end=$(($(date +%s) + 60))
while [ $(ss -Hltn | wc -l) -lt $1 ] && [ $(date +%s) -lt $end ]; do sleep 0.1; done
sleep 0.3; ss -Hltn
`

// Counting runs a script that starts daemons, and returns what listens once there are that many
// sockets, or after a minute; sockets and the namespace are as Listening has them.
func Counting(t *testing.T, count int, script string) (sockets []string, messages string) {
	t.Helper()
	cmd := exec.Command("unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", counting, "sh", strconv.Itoa(count), script)
	var out, errors strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errors
	_ = cmd.Run() // the sockets tell
	for line := range strings.Lines(out.String()) {
		if fields := strings.Fields(line); len(fields) > 3 {
			sockets = append(sockets, fields[3])
		}
	}
	return sorted(sockets), errors.String()
}

// Predicted returns what ss(8) shows of the listeners of a configuration, sorted and without
// the sentinel. A listener that one on all addresses covers is not left out.
func Predicted(c listeners.Config) (sockets []string) {
	for _, l := range c.Listeners {
		host := l.Address.String()
		switch {
		case !l.Address.IsValid(), l.Address.IsUnspecified() && l.Address.Is6() && !l.V6Only:
			host = "*"
		case l.Address.Is6():
			host = "[" + host + "]"
		}
		sockets = append(sockets, fmt.Sprintf("%s:%d", host, l.Port))
	}
	return sorted(sockets)
}

// sorted sorts sockets and leaves out the sentinel.
func sorted(sockets []string) []string {
	sockets = slices.DeleteFunc(sockets, func(s string) bool { return strings.HasSuffix(s, fmt.Sprintf(":%d", Sentinel)) })
	slices.Sort(sockets)
	return sockets
}
