// Package trust finds the settings of configuration files that trust too many clients: those
// that may relay, that need no password, or whose PROXY header is believed. It judges what the
// readers of package config return.
package trust
