package sockettest

import (
	"bufio"
	"io"
	"os/exec"
	"testing"
)

// maxLine is the longest line that a program may reply with.
const maxLine = 64 << 20

// Talk starts a program that reads lines and replies to each with lines. Its input ends, and with
// it the program, when the test ends.
func Talk(t *testing.T, cmd *exec.Cmd) (to io.Writer, from *bufio.Scanner) {
	t.Helper()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		_ = cmd.Wait()
	})
	from = bufio.NewScanner(out)
	from.Buffer(nil, maxLine)
	return in, from
}
