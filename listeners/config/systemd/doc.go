// Package systemd reads units: what a service starts (ExecStart= with its variables), what a
// socket unit listens on (ListenStream=), and which ports services and the quadlets of Podman
// publish for containers; each with its drop-ins.
package systemd
