package sockettest

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// A Room is a network namespace in which daemons are started one after another.
type Room struct {
	commands io.Writer
	output   *bufio.Scanner
	messages string // the file of them
}

// roomScript is the first process of a room: it runs commands, prints what listens after each, and
// ends what they started.
const roomScript = `
messages=$1
shift
ip link set lo up
for a; do ip addr add "$a" dev lo nodad; done
while read -r command; do
	status=0
	sh -c "$command" >"$messages" 2>&1 </dev/null || status=$?
	ss -Hltn
	echo "end $status"
	kill -9 -1 2>/dev/null
	while ss -Hltn | grep -q .; do :; done
done
`

// NewRoom makes a room that ends with the test. Its loopback interface has these addresses, too,
// such as "10.0.0.1/32".
func NewRoom(t *testing.T, addresses ...string) *Room {
	t.Helper()
	r := &Room{messages: filepath.Join(t.TempDir(), "messages")}
	args := []string{"--net", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", roomScript, "sh", r.messages}
	cmd := exec.Command("unshare", append(args, addresses...)...)
	r.commands, r.output = Talk(t, cmd)
	return r
}

// Start runs a command of one line, and returns what listens when it has ended, as ss(8) writes it
// and sorted, whether it succeeded, and its output. What it left running ends then.
func (r *Room) Start(t *testing.T, command string) (sockets []string, ok bool, output string) {
	t.Helper()
	if _, err := fmt.Fprintln(r.commands, command); err != nil {
		t.Fatal(err)
	}
	for r.output.Scan() {
		line := r.output.Text()
		if status, ended := strings.CutPrefix(line, "end "); ended {
			messages, err := os.ReadFile(r.messages)
			if err != nil {
				t.Fatal(err)
			}
			return sorted(sockets), status == "0", string(messages)
		}
		if fields := strings.Fields(line); len(fields) > 3 {
			sockets = append(sockets, fields[3])
		}
	}
	t.Fatalf("the room ended: %v", r.output.Err())
	return nil, false, ""
}

// Share calls test with the numbers below n, a part of them in each of several subtests, as many as
// -parallel lets run at once.
func Share(t *testing.T, n int, test func(t *testing.T, runs iter.Seq[int])) {
	t.Helper()
	workers, err := strconv.Atoi(flag.Lookup("test.parallel").Value.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Run("runs", func(t *testing.T) {
		for first := range min(workers, n) {
			t.Run(strconv.Itoa(first), func(t *testing.T) {
				t.Parallel()
				test(t, func(yield func(int) bool) {
					for run := first; run < n && yield(run); run += workers {
					}
				})
			})
		}
	})
}
