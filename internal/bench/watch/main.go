//go:build linux

// Command watch runs a command and measures it: wall and CPU time, peak memory,
// and the packets of a network interface. It prints one JSON object.
//
//	watch -if NAME [-timeout 60s] [-stdout FILE] [-stderr FILE] -o FILE -- COMMAND ARG...
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	var w watch
	flag.StringVar(&w.netIf, "if", "", "count the packets of the network interface `NAME`")
	flag.StringVar(&w.label, "label", "", "call the command `NAME` in the result")
	flag.DurationVar(&w.timeout, "timeout", time.Minute, "end the command after this time")
	flag.StringVar(&w.stdout, "stdout", os.DevNull, "write the command's output to `FILE`")
	flag.StringVar(&w.stderr, "stderr", os.DevNull, "write the command's messages to `FILE`")
	out := flag.String("o", "", "write the result to `FILE`")
	flag.Parse()
	if err := w.run(*out, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "watch:", err)
		os.Exit(1)
	}
}

type watch struct {
	netIf, label   string
	timeout        time.Duration
	stdout, stderr string
}

// A result is the output for one run.
type result struct {
	Label     string  `json:"label"`
	Wall      float64 `json:"wall_s"`
	Sent      uint64  `json:"tx"`
	Received  uint64  `json:"rx"`
	Dropped   uint64  `json:"tx_dropped"`
	Window    float64 `json:"tx_window_s"`
	PerSecond int     `json:"pps"` // packets sent in the window
	User      float64 `json:"user_s"`
	System    float64 `json:"sys_s"`
	Memory    float64 `json:"rss_mib"` // at most
	ExitCode  int     `json:"exit"`
	TimedOut  bool    `json:"timed_out"`
}

func (w watch) run(out string, command []string) error {
	if len(command) == 0 {
		return errors.New("no command")
	}
	count, err := openCounters(w.netIf)
	if err != nil {
		return err
	}
	c := exec.Command(command[0], command[1:]...)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if c.Stdout, err = os.Create(w.stdout); err != nil {
		return err
	}
	if c.Stderr, err = os.Create(w.stderr); err != nil {
		return err
	}
	before := count.all()
	began := time.Now()
	if err := c.Start(); err != nil {
		return err
	}
	seen := window{last: before.sent}
	timedOut := w.await(c, count, &seen)
	r := result{Label: w.label, Wall: seconds(time.Since(began)), TimedOut: timedOut, ExitCode: c.ProcessState.ExitCode()}
	after := count.all()
	r.Sent, r.Received, r.Dropped = after.sent-before.sent, after.received-before.received, after.dropped-before.dropped
	if length := seen.to.Sub(seen.from); length > 0 {
		r.Window, r.PerSecond = seconds(length), int(float64(after.sent-seen.sent)/length.Seconds())
	}
	usage, ok := c.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return errors.New("the system does not tell what the command used")
	}
	r.User, r.System = seconds(time.Duration(usage.Utime.Nano())), seconds(time.Duration(usage.Stime.Nano()))
	r.Memory = thousandths(float64(usage.Maxrss) / 1024)
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return os.WriteFile(out, append(text, '\n'), 0o644)
}

// await waits for the command and samples the packet counters; it reports whether
// the command was killed because of the timeout.
func (w watch) await(c *exec.Cmd, count counters, seen *window) (timedOut bool) {
	ended := make(chan struct{})
	go func() {
		_ = c.Wait() // its exit code is part of the result
		close(ended)
	}()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	limit := time.NewTimer(w.timeout)
	defer limit.Stop()
	for {
		select {
		case <-tick.C:
			seen.look(count.sent(), time.Now())
		case <-ended:
			return timedOut
		case <-limit.C:
			signal := syscall.SIGTERM
			if timedOut {
				signal = syscall.SIGKILL
			}
			_ = syscall.Kill(-c.Process.Pid, signal) // it may have exited
			timedOut = true
			limit.Reset(3 * time.Second)
		}
	}
}

// A window is the time in which a command sent most of its packets. A trickle
// does not extend it: retransmissions and keepalives are sent much later.
type window struct {
	last     uint64 // packets at the last sample
	from, to time.Time
	sent     uint64 // packets at the start
}

// trickle is the maximum number of packets between two samples that does not
// extend a window.
const trickle = 16

func (w *window) look(sent uint64, now time.Time) {
	if sent-w.last >= trickle {
		if w.from.IsZero() {
			w.from, w.sent = now, sent
		}
		w.to = now
	}
	w.last = sent
}

// counters are the open counters of an interface, in the order of packets.
type counters [3]*os.File

type packets struct{ sent, received, dropped uint64 }

func openCounters(netIf string) (c counters, err error) {
	for i, name := range []string{"tx_packets", "rx_packets", "tx_dropped"} {
		if c[i], err = os.Open(filepath.Join("/sys/class/net", netIf, "statistics", name)); err != nil {
			return c, fmt.Errorf("counting packets: %w", err)
		}
	}
	return c, nil
}

func (c counters) all() packets { return packets{read(c[0]), read(c[1]), read(c[2])} }

func (c counters) sent() uint64 { return read(c[0]) }

// read returns the value of a counter, 0 if it cannot be read.
func read(f *os.File) uint64 {
	var b [32]byte
	n, _ := f.ReadAt(b[:], 0)
	v, _ := strconv.ParseUint(strings.TrimSpace(string(b[:n])), 10, 64)
	return v
}

func seconds(d time.Duration) float64 { return thousandths(d.Seconds()) }

func thousandths(f float64) float64 { return math.Round(f*1000) / 1000 }
