// Package systemd reads units: what a service starts (ExecStart= with its variables), and what a
// socket unit listens on (ListenStream=), each with its drop-ins.
package systemd
