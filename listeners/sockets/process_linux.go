package sockets

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/mxsweep/mxsweep/internal/redact"
)

// Limits of what is read of a process, in bytes.
const (
	maxCommand = 4096 // of the command line
	maxCgroup  = 1 << 16
)

// deletedMark is what /proc appends to the path of a program whose file was replaced,
// for example by an upgrade.
const deletedMark = " (deleted)"

// readProcess returns what /proc says of a process. What cannot be read is "".
func readProcess(proc string, pid int) *Process {
	dir := filepath.Join(proc, strconv.Itoa(pid))
	p := &Process{
		PID:     pid,
		Name:    strings.TrimSuffix(readHead(dir+"/comm", 64), "\n"),
		Command: splitCommand(readHead(dir+"/cmdline", maxCommand)),
	}
	if link, err := os.Readlink(dir + "/exe"); err == nil {
		p.Executable = strings.TrimSuffix(link, deletedMark)
	}
	p.Unit, p.Container = unitOf(readHead(dir+"/cgroup", maxCgroup))
	return p
}

// splitCommand splits a command line, whose arguments end with a NUL each. A daemon that
// changed it to show what it does may have one argument with spaces.
func splitCommand(text string) []string {
	text = strings.TrimRight(text, "\x00 \n")
	if text == "" {
		return nil
	}
	return redact.Args(strings.Split(text, "\x00"))
}

// readHead returns the beginning of a file, "" if it cannot be read.
func readHead(name string, limit int64) string {
	f, err := os.Open(name)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, limit))
	if err != nil {
		return "" // the process has ended
	}
	return string(text)
}

// interpreters are the programs that run a script, which is what a process is.
var interpreters = []string{"perl", "python", "ruby", "node", "sh", "bash", "dash"}

// programFile returns the file that a process runs: that of its program or, where an
// interpreter runs it, of the script; "" if that is not known.
func (p *Process) programFile() string {
	name := strings.TrimRight(filepath.Base(p.Executable), "0123456789.-")
	if !slices.Contains(interpreters, name) {
		return p.Executable
	}
	for i, word := range p.Command {
		word, _, _ = strings.Cut(word, " ") // a title: "/usr/sbin/amavisd-new (master)"
		if filepath.IsAbs(word) && strings.TrimRight(filepath.Base(word), "0123456789.-") != name {
			return word
		}
		if i > 0 && !strings.HasPrefix(word, "-") {
			break
		}
	}
	return ""
}
