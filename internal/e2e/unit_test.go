//go:build linux

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A unit is a daemon as systemd or an init script would run it.
type unit struct {
	name string

	// start is the shell command of the unit's ExecStart, with the file that it
	// reads variables from sourced before it.
	start string

	// stop is that of its ExecStop, reload that of its ExecReload; "" if it has
	// none.
	stop, reload string

	// port is one that the unit listens on: who holds it belongs to the unit.
	port int
}

const (
	unitDir = "/run/e2e/units"
	ownBin  = "/run/e2e/bin"
)

// systemctl restarts, reloads and starts the units of a host. There is no systemd in
// it: a unit is who has its variable in the environment, who is in its session,
// who holds its port, and the parents and children of all these, for daemons
// fork, and some write over their environment.
const systemctl = `#!/bin/sh
# systemctl start|restart|reload UNIT
unit=$2
[ -r ` + unitDir + `/$unit ] || { echo "Unit $unit.service not found." >&2; exit 5; }
. ` + unitDir + `/$unit.id
members() {
	{
		grep -lzx "E2E_UNIT=$unit" /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3
		ps -o pid= -s "$session"
		ss -Hltnp "sport = :$port" | grep -o 'pid=[0-9]*' | cut -d= -f2
		echo all
		ps -eo pid=,ppid=
	} | awk '
		/all/ { seeds = 1; next }
		!seeds { in_unit[$1] = 1; next }
		{ parent[$1] = $2 }
		END {
			do {
				more = 0
				for (p in parent) if (parent[p] > 1) {
					if (in_unit[p] && !in_unit[parent[p]]) more = in_unit[parent[p]] = 1
					if (!in_unit[p] && in_unit[parent[p]]) more = in_unit[p] = 1
				}
			} while (more)
			for (p in in_unit) if (in_unit[p] && p in parent) print p
		}'
}
case $1 in
reload)
	[ -r ` + unitDir + `/$unit.reload ] || { echo "Job type reload is not applicable for unit $unit.service." >&2; exit 3; }
	exec sh -e ` + unitDir + `/$unit.reload
	;;
restart)
	before=$(members)
	# Who no longer holds the port may still be at work.
	left() {
		members
		for pid in $before; do [ ! -d /proc/$pid ] || echo $pid; done
	}
	[ ! -r ` + unitDir + `/$unit.stop ] || sh ` + unitDir + `/$unit.stop
	list=$(left)
	[ -z "$list" ] || kill $list 2>/dev/null
	for i in $(seq 600); do
		[ -n "$(left)" ] || break
		sleep 0.1
	done
	list=$(left)
	[ -z "$list" ] || kill -9 $list 2>/dev/null
	;;
start) ;;
*) echo "Unknown command verb $1." >&2; exit 1 ;;
esac
E2E_UNIT=$unit setsid sh ` + unitDir + `/$unit </dev/null >>` + logDir + `/$unit 2>&1 &
printf 'port=%s session=%s\n' "$port" $! >` + unitDir + `/$unit.id
`

// setUp lays out the files of a host by its commands and starts its units.
func setUp(s spec) error {
	if len(s.setup) == 0 && len(s.units) == 0 {
		return nil
	}
	if err := mkdirs(unitDir, ownBin); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(ownBin, "systemctl"), []byte(systemctl), 0o755); err != nil {
		return err
	}
	for _, line := range s.setup {
		if out, err := hostShell(line).CombinedOutput(); err != nil {
			return fmt.Errorf("setting up %q: %w: %s", line, err, strings.TrimSpace(string(out)))
		}
	}
	for _, u := range s.units {
		for suffix, line := range map[string]string{"": u.start, ".stop": u.stop, ".reload": u.reload} {
			if line == "" {
				continue
			}
			if err := os.WriteFile(filepath.Join(unitDir, u.name+suffix), []byte(line+"\n"), 0o644); err != nil {
				return err
			}
		}
		id := fmt.Sprintf("port=%d session=0\n", u.port)
		if err := os.WriteFile(filepath.Join(unitDir, u.name+".id"), []byte(id), 0o644); err != nil {
			return err
		}
		if out, err := hostShell("systemctl start " + u.name).CombinedOutput(); err != nil {
			return fmt.Errorf("starting unit %q: %w: %s", u.name, err, out)
		}
	}
	return nil
}

// hostPath is where programs of a host are looked for.
const hostPath = "PATH=" + ownBin + ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// hostShell is a command of a shell inside of a host.
func hostShell(line string) *exec.Cmd {
	cmd := exec.Command("/bin/sh", "-ec", line)
	cmd.Dir = "/"
	cmd.Env = []string{hostPath, "LANG=C", "TZ=UTC", "HOME=/root"}
	return cmd
}

// shell runs a command inside of the host, from outside.
func (h *host) shell(line string) (string, error) {
	out, err := exec.Command("nsenter", "-t", fmt.Sprint(h.cmd.Process.Pid), "-m", "-n", "-p", "-u", "-i", "--",
		"/usr/bin/env", "-i", hostPath, "LANG=C", "TZ=UTC", "HOME=/root", "/bin/sh", "-ec", "cd /; "+line).CombinedOutput()
	return strings.TrimSpace(string(out)), err
}
