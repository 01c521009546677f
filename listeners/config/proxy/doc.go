// Package proxy reads the configuration files of HAProxy and nginx: what they listen on,
// and to which port they pass connections.
package proxy
