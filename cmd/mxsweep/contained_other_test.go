//go:build !linux

package main

import "testing"

// contained is for Linux.
func contained(*testing.T, string) {}
