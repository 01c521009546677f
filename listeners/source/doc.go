// Package source gives readers of configuration files their text: bounded, with
// positions, and with the files that they include.
package source
