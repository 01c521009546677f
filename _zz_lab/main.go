package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"mxsweep/fingerprint"
	"mxsweep/scan"
	"mxsweep/signatures"
)

func main() {
	var truth struct {
		Ports []struct {
			Host, Address, Product, Protocol string
			Port                             uint16
			Exposed                          bool
		}
	}
	b, err := os.ReadFile("/work/shared/lab/truth.json")
	if err != nil {
		panic(err)
	}
	if err := json.Unmarshal(b, &truth); err != nil {
		panic(err)
	}
	set, err := signatures.Default()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	id := &fingerprint.Identifier{Signatures: set, Intrusive: os.Getenv("INTRUSIVE") != "", Record: os.Getenv("RECORD") != ""}
	hosts := os.Args[1:]
	type row struct {
		addr netip.AddrPort
		host string
		truth string
		svc  *fingerprint.Service
		took time.Duration
		err  error
	}
	var mu sync.Mutex
	var rows []row
	var wg sync.WaitGroup
	start := time.Now()
	for _, p := range truth.Ports {
		if !p.Exposed || len(hosts) > 0 && !slices.Contains(hosts, p.Host) && !slices.Contains(hosts, fmt.Sprintf("%s:%d", p.Host, p.Port)) {
			continue
		}
		wg.Go(func() {
			target := netip.AddrPortFrom(netip.MustParseAddr(p.Address), p.Port)
			t := time.Now()
			conn, err := net.DialTimeout("tcp", target.String(), 3*time.Second)
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
				return
			}
			svc, err := id.Identify(context.Background(), scan.Result{Target: target, State: scan.StateOpen, RTT: time.Since(t), Conn: conn})
			mu.Lock()
			defer mu.Unlock()
			rows = append(rows, row{target, p.Host, p.Product, svc, time.Since(t), err})
		})
	}
	wg.Wait()
	slices.SortFunc(rows, func(a, b row) int { return a.addr.Compare(b.addr) })
	var ports []any
	for _, r := range rows {
		s := r.svc
		m := map[string]any{"name": s.Protocol, "product": s.Product, "version": s.Version, "role": s.Role, "confidence": s.Confidence, "tunnel": s.Tunnel}
		if s.Behind != nil {
			m["behind"] = s.Behind
		}
		ports = append(ports, map[string]any{"ip": r.addr.Addr().String(), "port": r.addr.Port(), "state": "open", "service": m})
		if os.Getenv("QUIET") == "" {
			fmt.Printf("%-13s %-16s %-20s -> %-14s %-18s %-14s %2d %-22s %-6s %v %v %v %v\n", r.host, r.addr, r.truth, s.Protocol, s.Product, s.Version, s.Confidence, s.Signature, s.Tunnel, s.Behind, s.Observations, r.took.Round(time.Millisecond), r.err)
		}
		if os.Getenv("SHOW") != "" {
			for _, ex := range s.Transcript.Exchanges {
				fmt.Printf("      %-16s %-8s %6v %6v %q %s\n", ex.Probe, ex.End, ex.First.Round(time.Millisecond), ex.Took.Round(time.Millisecond), cut(string(ex.Reply)), ex.Handshake)
			}
		}
	}
	fmt.Fprintln(os.Stderr, "took", time.Since(start).Round(time.Millisecond), len(rows), "ports")
	j, _ := json.Marshal(map[string]any{"ports": ports, "findings": []any{}})
	os.WriteFile("/tmp/engine-report.json", j, 0o644)
}

func cut(s string) string {
	if len(s) > 160 {
		s = s[:160] + "..."
	}
	return strings.ReplaceAll(s, "\n", "\n")
}
